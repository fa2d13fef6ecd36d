"""Handles: deep links of every service, handles in text, numbers offered on a messenger."""

import pytest

from nlp.analysis import EntityType, LinkText
from nlp.entities import find_entities
from tests.support.entities import entities, readable, values

SESSION_ID = "05" + "ab12" * 16


@pytest.mark.parametrize(
    ("link", "handle"),
    [
        ("https://wa.me/447700900123", "whatsapp:+447700900123"),
        ("wa.me/+447700900123?text=hi", "whatsapp:+447700900123"),
        ("https://api.whatsapp.com/send?phone=447700900123", "whatsapp:+447700900123"),
        ("https://web.whatsapp.com/send?text=a&phone=%2B447700900123", "whatsapp:+447700900123"),
        ("https://chat.whatsapp.com/AbCdEfGhIjKlMn", "whatsapp:AbCdEfGhIjKlMn"),
        ("https://wa.me/message/ABCDEF123", "whatsapp:ABCDEF123"),
        ("whatsapp://send?phone=447700900123", "whatsapp:447700900123"),
        ("https://u.wechat.com/kBcD_efGh?s=2", "wechat:kBcD_efGh"),
        ("https://work.weixin.qq.com/ca/cawcde123", "wecom:cawcde123"),
        ("https://t.me/Maria_K", "telegram:maria_k"),
        ("t.me/maria_k", "telegram:maria_k"),
        ("https://telegram.me/maria_k", "telegram:maria_k"),
        ("https://maria_k.t.me", "telegram:maria_k"),
        ("https://t.me/+AbCdEfGh123", "telegram:AbCdEfGh123"),
        ("https://t.me/joinchat/AbCdEfGh", "telegram:AbCdEfGh"),
        ("https://t.me/+447700900123", "telegram:+447700900123"),
        ("tg://resolve?domain=maria_k", "telegram:maria_k"),
        ("tg://resolve?phone=447700900123", "telegram:447700900123"),
        ("https://signal.me/#p/+447700900123", "signal:+447700900123"),
        ("https://signal.me/#eu/AbC-12_x", "signal:AbC-12_x"),
        ("https://signal.group/#CjQKIAbc", "signal:CjQKIAbc"),
        ("sgnl://signal.me/#p/+447700900123", "signal:+447700900123"),
        ("https://line.me/ti/p/~lan.w", "line:lan.w"),
        ("https://line.me/R/ti/p/%40lan.w", "line:lan.w"),
        ("https://lin.ee/AbC123", "line:AbC123"),
        ("https://open.kakao.com/o/sAbC123", "kakaotalk:sAbC123"),
        ("https://pf.kakao.com/_xAbC", "kakaotalk:_xAbC"),
        ("viber://chat?number=%2B447700900123", "viber:+447700900123"),
        ("https://zalo.me/84912345678", "zalo:+84912345678"),
        ("https://qm.qq.com/cgi-bin/qm/qr?k=AbC-12", "qq:AbC-12"),
        ("https://wpa.qq.com/msgrd?v=3&uin=123456789&site=qq", "qq:123456789"),
        ("https://meeting.tencent.com/dm/AbC123", "tencent_meeting:AbC123"),
        ("https://example.zoom.us/j/123456789", "zoom:123456789"),
        ("https://discord.gg/AbC123", "discord:AbC123"),
        ("https://matrix.to/#/@maria:example.org", "matrix:@maria:example.org"),
        ("https://threema.id/ABCD1234", "threema:abcd1234"),
        ("skype:live:maria.k?chat", "skype:live:maria.k"),
        ("https://teams.live.com/l/invite/FEAbC123", "teams:FEAbC123"),
        ("https://m.me/maria.k", "messenger:maria.k"),
        ("https://www.snapchat.com/add/maria-k", "snapchat:maria-k"),
        ("https://vk.me/maria_k", "vk:maria_k"),
        ("https://simplex.chat/contact#/?v=2&smp=abc", "simplex:/?v=2&smp=abc"),
        ("https://linktr.ee/maria_k", "link_hub:maria_k"),
        ("https://wa.me/qr/ABCDEF123", "whatsapp:ABCDEF123"),
        ("https://work.weixin.qq.com/u/vcAbC123", "wecom:vcAbC123"),
        ("https://work.weixin.qq.com/gm/AbC123", "wecom:AbC123"),
        ("https://telegram.dog/maria_k", "telegram:maria_k"),
        ("tg://join?invite=AbCdEf123", "telegram:AbCdEf123"),
        ("line://ti/p/~lan.w", "line:lan.w"),
        ("https://line.me/R/ti/g2/AbC-12", "line:AbC-12"),
        ("https://invite.viber.com/?g2=AbC-12", "viber:AbC-12"),
        ("https://zalo.me/g/abc123", "zalo:abc123"),
        ("https://qm.qq.com/q/AbC123", "qq:AbC123"),
        ("mqqwpa://im/chat?chat_type=wpa&uin=123456789", "qq:123456789"),
        ("tencent://message/?uin=123456789", "qq:123456789"),
        ("https://qr.dingtalk.com/AbC123", "dingtalk:AbC123"),
        ("https://applink.feishu.cn/AbC123", "lark:AbC123"),
        ("https://applink.larksuite.com/AbC123", "lark:AbC123"),
        ("https://voovmeeting.com/dm/AbC123", "tencent_meeting:AbC123"),
        ("https://discord.com/invite/AbC123", "discord:AbC123"),
        ("https://discord.com/users/123456789012", "discord:123456789012"),
        ("https://account.wire.com/user-profile/?id=ab12-cd34", "wire:ab12-cd34"),
        ("https://join.skype.com/invite/AbC123", "skype:AbC123"),
        ("https://teams.live.com/meet/9123", "teams:9123"),
        (
            "https://teams.microsoft.com/l/chat/0/0?users=maria@example.org",
            "teams:maria@example.org",
        ),
        ("https://ig.me/m/maria.k", "instagram:maria.k"),
        ("https://x.com/messages/compose?recipient_id=123456", "x:123456"),
        ("imessage:+447700900123", "imessage:+447700900123"),
        ("sms:+447700900123", "sms:+447700900123"),
        ("t . me / maria_k", "telegram:maria_k"),
        ("t dot me slash maria_k", "telegram:maria_k"),
        ("t[.]me/maria_k", "telegram:maria_k"),
        (
            "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Ft.me%2Fmaria_k&data=05",
            "telegram:maria_k",
        ),
    ],
)
def test_deep_links(link: str, handle: str) -> None:
    found = [e for e in entities(f"Reach me: {link}") if e.type == EntityType.HANDLE]
    assert [e.value for e in found] == [handle]
    assert found[0].platform == handle.partition(":")[0]
    assert found[0].span.text == link
    assert "link" in found[0].flags


@pytest.mark.parametrize(
    ("link", "service"),
    [
        ("weixin://dl/chat", "wechat"),
        ("wxwork://message", "wecom"),
        ("kakaotalk://open", "kakaotalk"),
        ("dingtalk://dingtalkclient/page", "dingtalk"),
        ("https://h5.dingtalk.com/circle", "dingtalk"),
        ("lark://client", "lark"),
        ("wemeet://page/inmeeting", "tencent_meeting"),
        ("zoommtg://zoom.us/join", "zoom"),
        ("https://app.element.io/", "matrix"),
        ("viber://forward", "viber"),
    ],
)
def test_links_that_name_a_service_alone(link: str, service: str) -> None:
    assert service in values(EntityType.PLATFORM, f"Reach me: {link}")


@pytest.mark.parametrize(
    "link",
    [
        "https://t.me/share/url?url=x",
        "https://t.me/addstickers/cats",
        "https://www.instagram.com/p/AbC12/",
    ],
)
def test_links_that_name_nobody(link: str) -> None:
    assert values(EntityType.HANDLE, f"see {link}") == []


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("WeChat: abc_123", "wechat:abc_123"),
        ("WeChat ID: liwei", "wechat:liwei"),
        ("WeChat - lanhai88", "wechat:lanhai88"),
        ("my WeChat ID is lanhai88, add me", "wechat:lanhai88"),
        ("微信号 abc_123", "wechat:abc_123"),
        ("微信：lanhai88", "wechat:lanhai88"),
        ("微信号是lanhai88，谢谢", "wechat:lanhai88"),
        ("加V xxx_88 详聊", "wechat:xxx_88"),
        ("vx lanhai_88", "wechat:lanhai_88"),
        ("QQ：123456789", "qq:123456789"),
        ("QQ号123456789", "qq:123456789"),
        ("my Telegram is @Maria_K", "telegram:maria_k"),
        ("Telegram: maria", "telegram:maria"),
        ("Telegram username is maria_k", "telegram:maria_k"),
        ("@maria_k on Telegram", "telegram:maria_k"),
        ("ping maria_k88 (Telegram)", "telegram:maria_k88"),
        ("We use Telegram a lot. I am there as @maria_k.", "telegram:maria_k"),
        ("Let's use Telegram.\n\n@maria_k", "telegram:maria_k"),
        ("On Telegram my username there is lan_w", "telegram:lan_w"),
        ("Мой ник в телеграме dasha_s", "telegram:dasha_s"),
        ("mon pseudo sur Telegram : lan_w", "telegram:lan_w"),
        ("معرّفي على تيليغرام layla_m", "telegram:layla_m"),
        ("텔레그램 아이디 jiwoo_k 로", "telegram:jiwoo_k"),
        ("카톡 아이디는 jiwoo99입니다", "kakaotalk:jiwoo99"),
        ("Kakao ID: minjun22", "kakaotalk:minjun22"),
        ("Signal username: maria.42", "signal:maria.42"),
        ("sur Signal, mon pseudo est elodie.07", "signal:elodie.07"),
        ("LINE ID: ~lan.w", "line:lan.w"),
        ("LINE ID lan88", "line:lan88"),
        ("Threema ID ABCD1234", "threema:abcd1234"),
        ("Discord: maria#1234", "discord:maria#1234"),
        ("skype: maria.k88", "skype:maria.k88"),
        ("reach live:.cid.ab12cd34", "skype:live:.cid.ab12cd34"),
        ("I am @maria:example.org there", "matrix:@maria:example.org"),
        (f"my id {SESSION_ID}", f"session:{SESSION_ID}"),
        ("add me on T e l e g r a m: @maria_k", "telegram:maria_k"),
        ("hi r u on wechat? add me pls, my id lan_river88, cant send docs", "wechat:lan_river88"),
        ("He is on Signal at +1 202 555 0148.", "signal:+12025550148"),
        ("Snapchat: maria-k88", "snapchat:maria-k88"),
    ],
)
def test_handles_in_text(text: str, handle: str) -> None:
    assert handle in values(EntityType.HANDLE, text)


@pytest.mark.parametrize(
    "text",
    [
        "WhatsApp: please write there",
        "my Telegram is below",
        "WeChat ID below, thanks",
        "Telegram channel about birds",
        "write to a.b@example.org about Telegram",
        "@maria please review the patch",
        "see #telegram on the board",
        "Telegram is available for everyone",
        "Signal 4 is out",
        "the WeChat app",
    ],
)
def test_words_that_are_no_handles(text: str) -> None:
    assert values(EntityType.HANDLE, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "WhatsApp: +44 7700 900123",
        "my WhatsApp is +44 7700 900123",
        "Text me on +44 7700 900123, same on WhatsApp.",
        "+44 7700 900123 (WhatsApp)",
        "+44 7700 900123 / WhatsApp",
        "Sur WhatsApp au +44 7700 900123",
        "WA +44 7700 900123",
        "Мой ватсап: +44 7700 900123",
        "واتساب: +44 7700 900123",
        "W h a t s A p p +44 7700 900123",
    ],
)
def test_a_number_offered_on_a_messenger_is_phone_and_handle(text: str) -> None:
    assert values(EntityType.PHONE, text) == ["+447700900123"]
    assert values(EntityType.HANDLE, text) == ["whatsapp:+447700900123"]


@pytest.mark.parametrize(
    "text", ["手机13800138000，微信同号", "手机同薇：13800138000", "电话 13800138000（微信同号）"]
)
def test_same_number_on_wechat(text: str) -> None:
    assert values(EntityType.PHONE, text) == ["13800138000"]
    assert values(EntityType.HANDLE, text) == ["wechat:13800138000"]


def test_one_number_for_two_services() -> None:
    assert values(EntityType.HANDLE, "WhatsApp/Telegram: +44 7700 900123") == [
        "telegram:+447700900123",
        "whatsapp:+447700900123",
    ]


def test_a_number_with_another_label_is_no_handle() -> None:
    assert values(EntityType.HANDLE, "I like WhatsApp. Tel: +44 7700 900123") == []
    assert values(EntityType.HANDLE, "Tel +44 20 7946 0000, WhatsApp +44 7700 900123") == [
        "whatsapp:+447700900123"
    ]


def test_name_in_the_body_and_handle_in_the_signature() -> None:
    assert values(EntityType.HANDLE, "my Telegram is below", "Maria Lindqvist\n@maria_k") == [
        "telegram:maria_k"
    ]
    assert values(EntityType.HANDLE, "my WhatsApp is below", "Tel +44 7700 900123") == [
        "whatsapp:+447700900123"
    ]
    assert values(EntityType.HANDLE, "WhatsApp was down", "Tel +44 7700 900123") == []


def test_link_targets_stand_on_their_shown_text() -> None:
    link = LinkText(target="https://t.me/maria_k", shown="write here", part="1")
    found = find_entities(readable("Please write here today.", links=(link,)))
    assert {(e.type, e.value) for e in found} == {
        (EntityType.URL, "https://t.me/maria_k"),
        (EntityType.PLATFORM, "telegram"),
        (EntityType.HANDLE, "telegram:maria_k"),
    }
    assert all((e.span.start, e.span.end, e.span.text) == (7, 17, "write here") for e in found)
    assert all("link" in e.flags for e in found)


def test_a_link_shown_as_itself_counts_once() -> None:
    link = LinkText(target="https://t.me/maria_k", shown="t.me/maria_k", part="1")
    found = find_entities(readable("Write: t.me/maria_k", links=(link,)))
    assert [e.value for e in found if e.type == EntityType.HANDLE] == ["telegram:maria_k"]


def test_telephone_and_mail_links() -> None:
    links = (
        LinkText(target="tel:+44-7700-900123", shown="", part="1"),
        LinkText(target="mailto:Maria@gmail.com?subject=x", shown="mail", part="1", visible=False),
    )
    found = find_entities(readable("", links=links))
    assert [(e.type, e.value) for e in found] == [
        (EntityType.PHONE, "+447700900123"),
        (EntityType.EMAILADDR, "maria@gmail.com"),
    ]
    assert found[1].flags == ("link", "hidden", "freemail")


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("Signal for the big files, mira.41", "signal:mira.41"),
        ("Quick questions: Discord, hperera_k, our channel", "discord:hperera_k"),
        ("So LINE pls, id is ｌａｎ＿ｒｉｖｅｒ８", "line:lan_river8"),
        ("let's go on over LINE, lan.river", "line:lan.river"),
        ("Are you on Skype this evening? lan_talks", "skype:lan_talks"),
        ("Mon Threema si c'est plus simple : YS7R2MKB", "threema:ys7r2mkb"),
        ("passez par Signal, nom d'utilisatrice mira.41", "signal:mira.41"),
        ("走Signal，用户名 mira.41", "signal:mira.41"),
        ("客户只认Signal，找 mira.41。", "signal:mira.41"),
        ("放电报了，您搜 @lan_river", "telegram:lan_river"),
        ("卡住了就上Discord喊我，lan#4471。", "discord:lan#4471"),
        ("сообщите в Line коллеге, lan_montage", "line:lan_montage"),
        ("أنا كاكاو توك أسهل: ابحث عن lan.trade", "kakaotalk:lan.trade"),
        ("نتحاور في ثريما T3RR4V2Y", "threema:t3rr4v2y"),
    ],
)
def test_handles_further_on_in_the_sentence(text: str, handle: str) -> None:
    assert values(EntityType.HANDLE, text) == [handle]


@pytest.mark.parametrize(
    "text",
    [
        "On WeChat we discussed GPT4o and mq9b last week",
        "WhatsApp v2.24 and Signal 7.1 are out",
        "We spoke on Telegram about art.12 of the treaty",
        "Sent through WeChat: report_final.docx",
        "on Discord, it is 10.30 already",
        "on Signal, e.g. in the evening",
        "write on Signal.Please answer",
        "We use Telegram. The variable is start_date",
    ],
)
def test_codes_versions_and_files_behind_a_service_are_no_handles(text: str) -> None:
    assert values(EntityType.HANDLE, text) == []


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("my username is mira.41, find me on Signal", "signal:mira.41"),
        ("auf Signal. Sie finden mich unter dem Namen mira.41.", "signal:mira.41"),
        ("搬到Signal吧。您搜 mira.41 就行", "signal:mira.41"),
        ("LINE：lan.river8", "line:lan.river8"),
        ("加我微信 lan_river", "wechat:lan_river"),
        ("您LINE多少？我的号：lan_river", "line:lan_river"),
        ("write to mira.41 over Signal", "signal:mira.41"),
        ("Ando en Signal, lan.trade.4. Ya sabes", "signal:lan.trade.4"),
        ("Session: 05c1f7e0ab", "session:05c1f7e0ab"),
    ],
)
def test_handles_behind_a_label_or_before_the_service(text: str, handle: str) -> None:
    assert values(EntityType.HANDLE, text) == [handle]


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("Signal: mira dot forty-one", "signal:mira.41"),
        ("Signal, mira (dot) 41", "signal:mira.41"),
        ("Telegram: lan underscore river", "telegram:lan_river"),
        ("Telegram : lan tiret bas river8", "telegram:lan_river8"),
    ],
)
def test_dictated_handles(text: str, handle: str) -> None:
    found = [e for e in entities(text) if e.type == EntityType.HANDLE]
    assert [e.value for e in found] == [handle]
    assert "obfuscated" in found[0].flags


@pytest.mark.parametrize(
    "text",
    [
        "Telegram: the main point is 5",
        "at 16.30 on Discord",
        "Telegram, please use the variable start_date",
        "请改用微信沟通。有疑问请拨 13800138000",
        "search 2026 budgets, says the Telegram channel",
        "WhatsApp is down; call me on +44 7700 900123",
    ],
)
def test_points_times_and_years_are_no_handles(text: str) -> None:
    assert values(EntityType.HANDLE, text) == []
