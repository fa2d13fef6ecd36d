"""Disguised offers, built: every trick of hiding a service, a name, a number or an address.

Nothing is random: a trick takes the place of the case in its row to vary what it does. The services
are those of `nlp/lexicon/platforms.toml` by their usual name; names and numbers are invented or
reserved for fiction.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from nlp.analysis import EntityType, LinkText, ReadableText, TextSegment

Trick = Callable[[str, int], str]

SERVICES: Final = {
    "whatsapp": "WhatsApp",
    "wechat": "WeChat",
    "wecom": "WeCom",
    "telegram": "Telegram",
    "signal": "Signal",
    "line": "LINE",
    "kakaotalk": "KakaoTalk",
    "viber": "Viber",
    "zalo": "Zalo",
    "dingtalk": "DingTalk",
    "lark": "Feishu",
    "zoom": "Zoom",
    "discord": "Discord",
    "matrix": "Matrix",
    "wire": "Wire",
    "session": "Session",
    "simplex": "SimpleX",
    "threema": "Threema",
    "skype": "Skype",
    "teams": "Teams",
    "messenger": "Messenger",
    "instagram": "Instagram",
    "snapchat": "Snapchat",
    "botim": "BOTIM",
    "batchat": "BatChat",
    "potato": "Potato",
    "eitaa": "Eitaa",
}
CARRIERS: Final = (
    "Please write to me on {app}, my name there is lan_river88.",
    "Ajoutez-moi sur {app}, mon pseudo est lan_river88.",
    "Schreiben Sie mir auf {app}: lan_river88",
    "Escríbame por {app}, mi usuario es lan_river88.",
    "Me chama no {app}, sou lan_river88.",
    "Пишите в {app}, я там lan_river88.",
    "연락은 {app}으로 주세요, 아이디 lan_river88",
    "راسلني على {app}، حسابي lan_river88.",
    "请加我{app}：lan_river88",
    "請加我{app}，ID：lan_river88",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A message and what is to be found in it."""

    readable: ReadableText
    type: EntityType
    value: str
    shown: str


def _between(sign: str) -> Trick:
    return lambda name, _: sign.join(name)


def _inside(signs: str) -> Trick:
    """One of the signs after the second letter, and one more for every other case."""

    def trick(name: str, place: int) -> str:
        sign = signs[place % len(signs)]
        far = len(name) - 1 if place % 2 else 2
        return name[:2] + sign + name[2:far] + (sign if far > 2 else "") + name[far:]

    return trick


def _replaced(seen: str, read: str) -> Trick:
    table = dict(zip(read, seen, strict=True))

    def trick(name: str, place: int) -> str:
        places = [at for at, char in enumerate(name) if char in table]
        chosen = places if place % 2 else places[:1]
        return "".join(table[char] if at in chosen else char for at, char in enumerate(name))

    return trick


def _shifted(upper: int, lower: int) -> Trick:
    def trick(name: str, _: int) -> str:
        return "".join(
            chr(ord(char) - ord("A") + upper)
            if char.isupper()
            else chr(ord(char) - ord("a") + lower)
            for char in name
        )

    return trick


def _broken(name: str, place: int) -> str:
    at = len(name) // 2
    return name[:at] + ("\n", "-\n", " \n")[place % 3] + name[at:]


# Tricks on the name of a service. Short names are left out where the rest would be a common word.
NAMED: Final[dict[str, Trick]] = {
    "zero width": _inside("\u200b\u200c\u2060\ufeff"),
    "soft hyphen": _inside("\u00ad"),
    "bidi mark": _inside("\u200e\u202d\u2066\u202c"),
    "grapheme joiner": _inside("\u034f"),
    "homoglyph, Cyrillic": _replaced("аеосрхіѕТМНКВЕ", "aeocpxisTMHKBE"),
    "homoglyph, Greek": _replaced("ΑΒΕΖΗΙΚΜΝΟΡΤΧ", "ABEZHIKMNOPTX"),
    "full width": _shifted(0xFF21, 0xFF41),
    "circled": _shifted(0x24B6, 0x24D0),
    "negative circled": lambda name, _: _shifted(0x1F150, 0x1F150)(name, 0),
    "mathematical": _shifted(0x1D400, 0x1D41A),
    "leet": _replaced("4310", "aeio"),
    "spaced out": _between(" "),
    "dots": _between("."),
    "hyphens": _between("-"),
    "stars": _between("*"),
    "split over lines": _broken,
}
_TOO_SHORT: Final = {"split over lines": 7, "hyphens": 4, "spaced out": 4, "dots": 4, "stars": 4}


def named_cases(trick: str) -> Iterator[Case]:
    """The name of every service, disguised, in a sentence of every language in turn."""
    place = 0
    for service, name in SERVICES.items():
        for step in range(3):
            shown = NAMED[trick](name, place)
            carrier = CARRIERS[(place + step) % len(CARRIERS)]
            place += 1
            if shown == name or len(name) < _TOO_SHORT.get(trick, 0):
                continue
            yield Case(
                readable=_body(carrier.format(app=shown)),
                type=EntityType.PLATFORM,
                value=service,
                shown=shown,
            )


FIGURATIVE: Final = {
    "wechat": (
        "加我V信 lan_river88", "方便的话加个微❤：lan_river88", "加薇信lan_river88详聊",
        "威信号 lan_river88", "加卫星 lan_river88", "vx：lan_river88", "WX号lan_river88", "加V lan_river88",
        "加绿泡泡lan_river88", "加小绿 lan_river88", "手机同薇 13800138000", "加衛星：lan_river88",
    ),
    "telegram": (
        "加飞机 lan_river88", "加小飞机：@lan_river88", "电报号 lan_river88", "紙飛機 lan_river88",
        "find me on the paper plane app: lan_river88", "тг: lan_river88", "в телеге я lan_river88",
        "텔레 아이디 lan_river88", "tg @lan_river88", "sur l'avion en papier : lan_river88",
        "en el avioncito de papel soy lan_river88", "пишите в самолётик, lan_river88",
        "✈️ lan_river88", "📱✈️: @lan_river88", "تلي @lan_river88", "T.G. @lan_river88",
    ),
    "whatsapp": (
        "the green app: +44 7700 900123", "WA +44 7700 900123", "wasap +44 7700 900123",
        "me chama no zap +44 7700 900123", "мой ватс +44 7700 900123", "واتس +44 7700 900123",
        "sur l'appli verte au +44 7700 900123", "die grüne App: +44 7700 900123",
        "la app verde: +44 7700 900123", "зелёный мессенджер: +44 7700 900123",
        "초록색 앱 +44 7700 900123", "wsp: +44 7700 900123",
    ),
    "qq": ("扣扣 123456789", "企鹅号 123456789", "加Q 123456789", "Q号：123456789"),
    "kakaotalk": ("카톡 lan_river88", "ㅋㅌ lan_river88", "갠톡 주세요 lan_river88"),
    "line": ("加賴 lan_river88", "賴的ID：lan_river88", "라인 아이디 lan_river88"),
}  # fmt: skip


def figurative_cases() -> Iterator[Case]:
    """Names that stand for another one; the handle or number is bound to what is meant."""
    for service, texts in FIGURATIVE.items():
        for text in texts:
            yield Case(
                readable=_body(text), type=EntityType.HANDLE, value=f"{service}:", shown=text
            )


_SPOKEN: Final = {
    "+447700900123": (
        "plus four four, seven seven double zero, nine double zero, one two three",
        "plus forty-four seven seven zero zero nine zero zero one two three",
        "plus quatre quatre, sept sept zéro zéro, neuf zéro zéro, un deux trois",
        "plus quarante-quatre sept sept zéro zéro neuf zéro zéro un deux trois",
        "plus vier vier sieben sieben null null neun null null eins zwei drei",
        "plus vierundvierzig sieben sieben null null neun null null eins zwei drei",
        "más cuatro cuatro siete siete cero cero nueve cero cero uno dos tres",
        "más cuarenta y cuatro siete siete cero cero nueve cero cero uno dos tres",
        "mais quatro quatro sete sete zero zero nove zero zero um dois três",
        "mais quarenta e quatro sete sete zero zero nove zero zero um dois três",
        "плюс четыре четыре семь семь ноль ноль девять ноль ноль один два три",
        "плюс сорок четыре семь семь ноль ноль девять ноль ноль один два три",
        "زائد أربعة أربعة سبعة سبعة صفر صفر تسعة صفر صفر واحد اثنان ثلاثة",
        "زائد أربعة، أربعة، سبعة، سبعة، صفر، صفر، تسعة، صفر، صفر، واحد، اثنين، ثلاثة",
        "加四四七七零零九零零一二三",
        "加四四 七七〇〇 九〇〇 幺二三",
        "加 四四七七 零零九零零 一二三",
        "플러스 사사칠칠공공구공공일이삼",
        "플러스 사사 칠칠공공 구공공 일이삼",
        "plus 4 four, seven 7 double zero 9 double zero one 2 three",
    ),
    "13800138000": ("一三八零零一三八零零零", "幺三八 零零幺三 八零零零"),
}


def spoken_cases() -> Iterator[Case]:
    """Telephone numbers in words."""
    for value, texts in _SPOKEN.items():
        for text in texts:
            yield Case(
                readable=_body(f"WhatsApp: {text}."),
                type=EntityType.PHONE,
                value=value,
                shown=text,
            )


_ADDRESSES: Final = (
    "{who} (at) {host}", "{who}[at]{dotted}", "{who} [at] {dotted}", "{who}(at){host}",
    "{who} at {worded}", "{who} AT {worded}", "{who} @ {host}", "{who} @ {spaced}", "{who}(@){host}",
    "{who} arobase {host}", "{who} (arroba) {host}", "{who} собака {host}", "{who} 골뱅이 {host}",
    "{who}{{at}}{host}", "{who} (ät) {host}", "{who}#at#{host}", "{who} 艾特 {host}", "{who}_at_{host}",
    "{who} <at> {host}", "{who} ( at ) {dotted}", "{who}＠{host}", "{who}@{zero}",
)  # fmt: skip


def address_cases() -> Iterator[Case]:
    """Addresses whose signs are spelled out."""
    for place, shape in enumerate(_ADDRESSES):
        for who, host in (("lan.river", "mailbox.example.org"), ("quiet8", "example.net")):
            shown = shape.format(
                who=who,
                host=host,
                dotted=host.replace(".", "[dot]" if place % 2 else " (dot) "),
                worded=host.replace(".", " dot "),
                spaced=host.replace(".", " . "),
                zero=host[:3] + "\u200b" + host[3:],
            )
            yield Case(
                readable=_body(f"Write to my own mailbox, {shown}, please."),
                type=EntityType.EMAILADDR,
                value=f"{who}@{host}",
                shown=shown,
            )


_PARTED: Final = (
    ("Telegram", "@lan_river88 is me.", "", "telegram:lan_river88"),
    ("Telegram", "My user name: lan_river88", "", "telegram:lan_river88"),
    ("Let us use WeChat", "ID: lan_river88, thank you.", "", "wechat:lan_river88"),
    ("Signal?", "You find me under the name mira.41.", "", "signal:mira.41"),
    ("WhatsApp", "Same number as in my signature.", "+44 7700 900123", "whatsapp:+447700900123"),
    ("Hello", "My WhatsApp is below.", "Maria\n+44 7700 900123", "whatsapp:+447700900123"),
    ("Hello", "My Telegram is in the signature.", "Maria\n@lan_river88", "telegram:lan_river88"),
    ("Hello", "My WeChat is below.", "Maria\nID lan_river88", "wechat:lan_river88"),
    ("Hello", "Find me on Discord, the name stands below.", "lan_river88", "discord:lan_river88"),
    ("Bonjour", "Mon WhatsApp est ci-dessous.", "06 12 34 56 78", "whatsapp:0612345678"),
    ("Bonjour", "Écrivez-moi sur Telegram, voir signature.", "@lan_river88", "telegram:lan_river88"),
    ("Hallo", "Meine Threema-ID steht unten.", "ID: ABCD1234", "threema:abcd1234"),
    ("Hallo", "WhatsApp geht, Nummer unten.", "0171 2345678", "whatsapp:01712345678"),
    ("Hola", "Mi Telegram está abajo.", "usuario: lan_river88", "telegram:lan_river88"),
    ("Olá", "O meu WhatsApp está abaixo.", "+351 912 345 678", "whatsapp:+351912345678"),
    ("Здравствуйте", "Мой телеграм ниже.", "@lan_river88", "telegram:lan_river88"),
    ("你好", "我的微信在下面。", "ID：lan_river88", "wechat:lan_river88"),
    ("您好", "我的LINE如下。", "ID：lan_river88", "line:lan_river88"),
    ("안녕하세요", "카톡 아이디는 아래에 있습니다.", "아이디: lan_river88", "kakaotalk:lan_river88"),
    ("مرحبا", "رقمي على واتساب في التوقيع.", "+971 50 123 4567", "whatsapp:+971501234567"),
    ("WhatsApp", "The first half: +44 7700 ...", "... 900123", "whatsapp:+447700900123"),
    ("Hello", "WhatsApp +44 7700 9…", "…00123", "whatsapp:+447700900123"),
)  # fmt: skip


def parted_cases() -> Iterator[Case]:
    """Service and name, or the halves of a number, in subject, body and signature."""
    for subject, body, signature, value in _PARTED:
        segments = [
            TextSegment(source="subject", part="", text=subject),
            TextSegment(source="body", part="1", text=body),
        ]
        if signature:
            segments.append(
                TextSegment(source="signature", part="1", text=signature, base=len(body) + 1)
            )
        yield Case(
            readable=ReadableText(segments=tuple(segments)),
            type=EntityType.HANDLE,
            value=value,
            shown=f"{subject} | {body} | {signature}",
        )


_LINKED: Final = {
    "https://wa.me/447700900123": "whatsapp:+447700900123",
    "https://t.me/lan_river88": "telegram:lan_river88",
    "https://u.wechat.com/kBcD_efGh": "wechat:kBcD_efGh",
    "https://signal.me/#p/+447700900123": "signal:+447700900123",
    "https://line.me/ti/p/~lan.river": "line:lan.river",
    "https://open.kakao.com/o/sAbC123": "kakaotalk:sAbC123",
    "https://threema.id/ABCD1234": "threema:abcd1234",
    "https://discord.gg/AbC123": "discord:AbC123",
    "viber://chat?number=%2B447700900123": "viber:+447700900123",
    "skype:lan.river?chat": "skype:lan.river",
    "https://zalo.me/84912345678": "zalo:+84912345678",
}
_SHOWN: Final = ("our website", "https://example.org/about", "unsubscribe")


def linked_cases() -> Iterator[Case]:
    """Links whose text shows something else."""
    for target, value in _LINKED.items():
        for shown in _SHOWN[:2]:
            readable = ReadableText(
                segments=(TextSegment(source="body", part="1", text=f"See {shown} for more."),),
                links=(LinkText(target=target, shown=shown, part="1"),),
            )
            yield Case(readable=readable, type=EntityType.HANDLE, value=value, shown=shown)


def hidden_cases() -> Iterator[Case]:
    """Text that the HTML hides from the reader."""
    for service, name in SERVICES.items():
        if service in ("zoom", "teams"):
            continue
        text = f"Please write to me on {name}, my name there is lan_river88."
        readable = ReadableText(
            segments=(TextSegment(source="body", part="1", text="Good morning."),),
            hidden=(TextSegment(source="body", part="1", text=text),),
        )
        value = f"{service}:lan_river88"
        yield Case(readable=readable, type=EntityType.HANDLE, value=value, shown=text)


# The same tricks on text without an offer: nothing in it is a disguised way to be reached.
HARMLESS: Final = (
    "ＷＥＥＫＬＹ　ＮＥＷＳ　ＦＲＯＭ　ＴＨＥ　ＬＩＮＥ",
    "【お知らせ】ＮＨＫスペシャル　ＡＢＣ",
    "Donau\u00addampf\u00adschiff\u00adfahrt und Be\u00adwer\u00adbung",
    "Our mes\u00adsage to all sub\u00adscrib\u00aders: the sig\u00adnal of our time",
    "می\u200cخواهم با شما صحبت کنم",
    "نمی\u200cتوانم بیایم",
    "\u200bPreheader of a newsletter\u200b \u200c \u200d \ufeff",
    "S A L E  of the week",
    "W E L C O M E to our shop",
    "N E W S L E T T E R",
    "Ⓐ and Ⓑ are the answers, ① to ③ the steps",
    "🔥 HOT DEAL 🔥 only today ✈️ Rome",
    "We fly ✈️ on Monday",
    "The U.S.A. and the E.U. agreed",
    "It is 10:30 a.m., see p. 12",
    "\u200eשלום\u200e, the meeting is at ten",
    "\u202bمرحبا بكم\u202c in our office",
    "H2O and CO2, 4x4 and 3D",
    "c0de reviews and l33t speak are fun",
    "the signal-to-noise ratio of the line",
    "𝐁𝐨𝐥𝐝 𝐡𝐞𝐚𝐝𝐥𝐢𝐧𝐞 of the month",
    "Привет, Москва! Наш офис открыт",
    "Ωmega and Δelta are Greek",
    "naïve café, São Paulo, Łódź",
    "one two three, and off we go",
    "卫星发射成功，飞机准点到达",
    "企鹅保护区的威信",
)  # fmt: skip


def _body(text: str) -> ReadableText:
    return ReadableText(segments=(TextSegment(source="body", part="1", text=text),))
