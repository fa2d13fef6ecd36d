"""Short and colloquial names of services: by what stands around them, in every language alike."""

import pytest

from nlp.analysis import EntityType, ReadableText, TextSegment
from nlp.entities import find_entities


def found(text: str) -> set[tuple[str, str]]:
    segment = TextSegment(source="body", part="1", text=text)
    return {
        (entity.type.value, entity.value)
        for entity in find_entities(ReadableText(segments=(segment,)))
        if entity.type in (EntityType.PLATFORM, EntityType.HANDLE)
    }


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("Ping me: DC (lark_19)", "discord:lark_19"),
        ("on kik (northharbour7), never here", "kik:northharbour7"),
        ("WA 0660/5550183 ist mir recht", "whatsapp:06605550183"),
        ("Замолви слово, дс ivanov#0931", "discord:ivanov#0931"),
        ("давай в какао, мой id minho_k", "kakaotalk:minho_k"),
        ("影相用Sig傳mei.28", "signal:mei.28"),
        ("寫到Wickr tharris9，看完請刪", "wickr:tharris9"),
        ("face rodrigo.acero.5, por favor", "facebook:rodrigo.acero.5"),
        ("텔 @monica_z88 로 주세요", "telegram:monica_z88"),
        ("T-gram @anna_review01", "telegram:anna_review01"),
        ("Mattermost, donde soy @kira.a", "mattermost:kira.a"),
        ("إكس @fiona_orbit", "x:fiona_orbit"),
        ("скайп — yousef.mansour.eng. Вопрос простой", "skype:yousef.mansour.eng"),
        ("WeChat lan_chen8, LINE mira.k. Danke", "line:mira.k"),
        ("그래서 시그널이 낫습니다. emre_d.21 검색하세요", "signal:emre_d.21"),
        ("I'm on Discord as fionawrites_", "discord:fionawrites_"),
    ],
)
def test_a_handle_right_behind_makes_a_short_name_a_service(text: str, handle: str) -> None:
    assert ("handle", handle) in found(text)
    assert ("platform", handle.partition(":")[0]) in found(text)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("der WhatsApp-Gruppe oder Signal. LG", "signal"),
        ("by WeChat (lan_88) and later Signal, he said", "signal"),
        ("No usamos WhatsApp, WeChat ni Signal.", "signal"),
        ("Emre mag Zoom, Yael lieber Webex", "zoom"),
        ("Добавляйтесь: ТГ t.me/stroy_club", "telegram"),
        ("le groupe Whats de l'école", "whatsapp"),
        ("My Naver mail is full", "freemail"),
        ("Gmail or Outlook, as you like", "freemail"),
    ],
)
def test_company_and_groups_make_a_short_name_a_service(text: str, service: str) -> None:
    assert ("platform", service) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Seattle, WA 206 555 0123",
        "Washington, DC 202 555 0123",
        "the face of start_date",
        "verity_hash(v, io_hash_req)",
        "fb fb fb ffff88807776a500",
        "1920 x 1200 x 60Hz",
        "fb->fmt.width, fb->fmt.height",
        "the wire: 021000021",
        "a positive outlook for 2026",
        "because 連我 都是上個月才知道的",
        "He is the face of the campaign, on the whole",
        "dis-moi si ça te va",
    ],
)
def test_other_uses_are_no_services(text: str) -> None:
    assert found(text) == set()


@pytest.mark.parametrize("text", ["QQ 2855501934", "ICQ: 193485377", "QQ号 2873306419"])
def test_the_code_of_a_service_is_no_telephone_number(text: str) -> None:
    segment = TextSegment(source="body", part="1", text=text)
    types = {entity.type for entity in find_entities(ReadableText(segments=(segment,)))}
    assert EntityType.HANDLE in types
    assert EntityType.PHONE not in types
