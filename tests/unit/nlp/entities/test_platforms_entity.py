"""Names of services: every service, every script, every disguise, and the words that are no service."""

from pathlib import Path

import pytest

from nlp import lexicon
from nlp.analysis import EntityType
from tests.support.entities import entities, flags_of, texts_of, values

SERVICES = lexicon.read("platforms")["service"]


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("message me on WhatsApp", "whatsapp"),
        ("mein Whatsapp", "whatsapp"),
        ("escríbame al wasap", "whatsapp"),
        ("me chama no zap", "whatsapp"),
        ("pelo zap é melhor", "whatsapp"),
        ("пишите в ватсапе", "whatsapp"),
        ("نكمل على واتساب", "whatsapp"),
        ("والواتساب متاح", "whatsapp"),
        ("왓츠앱으로 연락 주세요", "whatsapp"),
        ("the green app is better", "whatsapp"),
        ("WA: +44 7700 900123", "whatsapp"),
        ("方便加个微信吗", "wechat"),
        ("我的V信在下面", "wechat"),
        ("加V lan_88", "wechat"),
        ("vx: lan_88", "wechat"),
        ("加薇信细聊", "wechat"),
        ("加卫星聊", "wechat"),
        ("威信号 lan_88", "wechat"),
        ("手机同薇", "wechat"),
        ("위챗 아이디 있으세요", "wechat"),
        ("用企业微信联系", "wecom"),
        ("ping me on Telegram", "telegram"),
        ("продолжим в телеграме", "telegram"),
        ("пишите в тг", "telegram"),
        ("用电报聊", "telegram"),
        ("加飞机号", "telegram"),
        ("텔레그램으로", "telegram"),
        ("على تيليغرام", "telegram"),
        ("tg: @maria_k", "telegram"),
        ("the paper plane app", "telegram"),
        ("Our side works on Signal", "signal"),
        ("my Signal is below", "signal"),
        ("Signal username maria.42", "signal"),
        ("réponds-moi sur Signal", "signal"),
        ("auf Signal erreichen Sie mich", "signal"),
        ("시그널로 연락", "signal"),
        ("my LINE ID is lan.w", "line"),
        ("方便加LINE聊嗎", "line"),
        ("加賴聊", "line"),
        ("카톡으로 이어서", "kakaotalk"),
        ("open chat on KakaoTalk", "kakaotalk"),
        ("viber or phone", "viber"),
        ("вайбере удобнее", "viber"),
        ("Zalo số 0912345678", "zalo"),
        ("QQ号 123456789", "qq"),
        ("QQ 123456789", "qq"),
        ("用钉钉沟通", "dingtalk"),
        ("飞书上聊", "lark"),
        ("腾讯会议 123 456 789", "tencent_meeting"),
        ("join the Zoom meeting", "zoom"),
        ("add me on Discord", "discord"),
        ("my Matrix id", "matrix"),
        ("reach me on Wire", "wire"),
        ("the Session app is safest", "session"),
        ("SimpleX Chat address", "simplex"),
        ("Threema ABCD1234", "threema"),
        ("skype call tonight", "skype"),
        ("a Microsoft Teams call", "teams"),
        ("Let us chat on Teams", "teams"),
        ("Facebook Messenger", "messenger"),
        ("instagram dm", "instagram"),
        ("BOTIM works here", "botim"),
        ("add me on imo", "imo"),
        ("蝙蝠聊天", "batchat"),
        ("пишите в MAX", "max"),
        ("Please write from a Proton account", "proton"),
        ("my gmail is better", "freemail"),
        ("WhatsApp, Signal or Wire", "wire"),
        ("Mr Greg waits for you on Signal today before six", "signal"),
        ("Can we do it on Session rather than by mail?", "session"),
        ("Please install Signal on something private", "signal"),
        ("oder nimm Session? Name und Firma sagt er dir", "session"),
        ("Installez donc Session, je vous y envoie mon code", "session"),
        ("avísame por Signal cuando subas la nuestra", "signal"),
        ("usamos un canal de LINE", "line"),
        ("par la messagerie Teams déjà installée", "teams"),
        ("Candidates hang out on our Discord, channel #applicants", "discord"),
        ("Questions in our Zoom chat group", "zoom"),
        ("write from a Tuta or Proton box", "tuta"),
        ("To my Proton box, please", "proton"),
        ("envoie-moi un Signal", "signal"),
        ("un texto au 581-555-0129 suffit", "sms"),
        ("파일은 줌 채팅으로 주세요", "zoom"),
        ("파일은 라인으로 보내요", "line"),
        ("웨이신 lan_88 추가하십시오", "wechat"),
        ("تركّب تطبيق Session", "session"),
        ("加我小绿吧：lan_88", "wechat"),
        ("l'appli verte", "whatsapp"),
        ("Ｚｏｏｍ on your phone, add me on 🅢🅘🅖🅝🅐🅛", "signal"),
    ],
)
def test_services_are_recognised(text: str, service: str) -> None:
    assert service in values(EntityType.PLATFORM, text)


@pytest.mark.parametrize(
    "text",
    [
        "The signal processing group moved to building 4.",
        "Signal strength on the second channel is low.",
        "a strong signal to the markets",
        "we continue with the line of argument on page 3",
        "Product Line: North American gas",
        "put your job on the line",
        "Session 3 starts on Monday, talk to the session chair.",
        "Session: February 1, 8:30",
        "send the amount by Wire transfer",
        "wire the money",
        "The teams at headquarters will talk.",
        "I'll talk to Max about it",
        "the maximum value MAX_SIZE",
        "zoom in on the picture",
        "potato soup",
        "discord among the members",
        "IMO this is fine",
        "we chat every week",
        "when we chat next week",
        "the matrix of coefficients",
        "an element of surprise",
        "用卫星通信的终端",
        "坐飞机去开会",
        "企鹅保护区",
        "他的威信很高",
        "signal: use the right lock",
        "for line in lines: print(line)",
        "Washington, WA 98101",
        "zap the old cache",
        "obtain an On-Line account",
        "calling on line one",
        "a talk on Matrix Theory",
        "Hiring line: 603-555-0140",
        "make all changes in one batch at the end",
        "온라인으로 들었습니다",
        "ابعتلي الملف",
        "Session 3 on Monday",
        "escribir un texto para la revista",
    ],
)
def test_common_words_are_no_services(text: str) -> None:
    assert values(EntityType.PLATFORM, text) == []


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("W h a t s A p p", "whatsapp"),
        ("W-h-a-t-s-A-p-p", "whatsapp"),
        ("Whats.App", "whatsapp"),
        ("T.e.l.e.g.r.a.m", "telegram"),
        ("Tele gram", "telegram"),
        ("Tele\ngram", "telegram"),
        ("Tele_gram", "telegram"),
        ("W\u200bhats\u200bApp", "whatsapp"),
        ("What\u034fsApp", "whatsapp"),
        ("Tеlеgrаm", "telegram"),
        ("Whаtsарр", "whatsapp"),
        ("Τelegram", "telegram"),
        ("wh4ts4pp", "whatsapp"),
        ("t3legram", "telegram"),
        ("te1egram", "telegram"),
        ("We.Chat", "wechat"),
        ("$kype", "skype"),
        ("Vıber", "viber"),
        ("sıgnal", "signal"),
    ],
)
def test_disguise_is_undone_and_flagged(text: str, service: str) -> None:
    found = [e for e in entities(f"add me on {text} please") if e.type == EntityType.PLATFORM]
    assert [e.value for e in found] == [service]
    assert "obfuscated" in found[0].flags
    assert found[0].span.text == text


@pytest.mark.parametrize(
    "text",
    [
        "ＷｈａｔｓＡｐｐ",
        "whats app",
        "what's app",
        "Whats-App",
        "WHATSAPP",
        "wasap",
        "微信",
        "V信",
        "تيـليجرام",
        "\u200eWhatsApp\u200e",
        "телега",
        "加卫星聊",
    ],
)
def test_plain_and_colloquial_spellings_are_not_flagged(text: str) -> None:
    found = flags_of(EntityType.PLATFORM, text)
    assert found
    assert all("obfuscated" not in flags for flags in found)


def test_inflected_names_are_covered_whole() -> None:
    assert texts_of(EntityType.PLATFORM, "пишите в телеграме или вотсапе") == [
        "телеграме",
        "вотсапе",
    ]


def test_ids_are_unique_and_documented() -> None:
    ids = [service["id"] for service in SERVICES]
    assert len(ids) == len(set(ids)) >= 25
    documented = (Path(__file__).parents[4] / "docs" / "platforms.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in documented.splitlines() if line.startswith("| `")]
    assert rows == ids


def test_documented_links_are_those_of_the_table() -> None:
    documented = (Path(__file__).parents[4] / "docs" / "platforms.md").read_text(encoding="utf-8")
    for service in SERVICES:
        row = next(
            line for line in documented.splitlines() if line.startswith(f"| `{service['id']}`")
        )
        for host, _ in service.get("links", ()):
            assert f"`{host}`" in row
        for scheme, _ in service.get("schemes", ()):
            assert f"`{scheme}:`" in row


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("Lovely to meet you. Signal?", "signal"),
        ("That is a lot for one mail. Zoom later?", "zoom"),
        ("It is better said than written. Got Wire?", "wire"),
        ("Haben Sie Signal? Dann morgen mehr.", "signal"),
        ("Tem Signal?", "signal"),
        ("Нет ли у вас Signal? Тогда завтра.", "signal"),
        ("We can do it by phone or Teams, whichever suits", "teams"),
        ("Foto gern per Mail oder LINE.", "line"),
        ("Discord ou courriel, à votre goût", "discord"),
        ("Телефон или Signal, как удобно", "signal"),
        ("It runs in an app called Session, by the way", "session"),
        ("nur über die App „Session“, bitte", "session"),
        ("If Zoom fails, ring the desk", "zoom"),
        ("The talks are on Teams in the last week", "teams"),
        ("Use Signal from here", "signal"),
        ("Signal only, please", "signal"),
        ("Signal si vous préférez", "signal"),
        ("me passa teu zap que mando o áudio", "whatsapp"),
        ("Prefiero Signal.", "signal"),
        ("急事 LINE 我也行", "line"),
        ("檔案傳 LINE 給我", "line"),
        ("您先装个 Signal，晚上聊", "signal"),
        ("편하게 라인 주세요", "line"),
    ],
)
def test_a_sentence_makes_a_doubtful_name_a_channel(text: str, service: str) -> None:
    assert service in values(EntityType.PLATFORM, text)


@pytest.mark.parametrize(
    "text",
    [
        "Is there a Signal in the noise?",
        "Session 3 later than planned",
        "The phone line, or the fax",
        "Line 41 of the budget by phone",
        "Teams of four or calls of two",
        "Das Signal steht auf Rot, die Teams in Köln warten",
        "再打 Signal 函数",
        "생산 라인을 보여 주세요",
        "If Matrix multiplication is slow, use blocks",
    ],
)
def test_a_sentence_about_a_thing_makes_it_no_channel(text: str) -> None:
    assert values(EntityType.PLATFORM, text) == []
