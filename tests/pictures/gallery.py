"""The pictures of the banner: which mails, languages, widths and modes; and their golden copies.

`python -m tests.pictures.gallery` takes them all anew, into tests/golden/banner and docs. Look at
each before it is committed. The banner goes in as the gateway puts it: read, edited, read again.
"""

from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from html import escape
from pathlib import Path

from PIL import Image

from milter.act.banner import Banner, BannerLevel, Reason, make_banner
from milter.act.render import EditPlan, render
from milter.act.shown import shown
from milter.mail.message import scan_header
from milter.mail.reading import Facts
from milter.read.message_reader import read_message
from tests.support.chromium import photograph
from tests.unit.act.by_hand import TEXTS, TOKEN
from tests.unit.act.test_recipient_notice import notice

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "banner"
DOCS = HERE.parents[1] / "docs"
# A palette keeps letters legible and a picture small.
_COLOURS = 48
_FIELDS = b"From: a@example.net\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One picture: a mail of `mails/`, the banner on it, and how its reader looks at it."""

    name: str
    mail: str
    language: str
    level: BannerLevel = BannerLevel.NOTICE
    width: int = 375
    height: int = 520
    dark: bool = False
    seen: str = "add us on WeChat: lin_den77"
    link: bool = False
    forced: bool = False
    in_docs: bool = False


STRONG = BannerLevel.STRONG
LONG = "t.me/" + "an_endless_handle_without_a_space_" * 3
SHOTS = (
    Shot(name="newsletter-375-light", mail="newsletter.html", language="en", height=640),
    Shot(name="newsletter-375-dark", mail="newsletter.html", language="en", height=640, dark=True),
    Shot(name="newsletter-1000-light", mail="newsletter.html", language="en", width=1000, in_docs=True),
    Shot(name="newsletter-1000-dark", mail="newsletter.html", language="en", width=1000, dark=True),
    Shot(name="letter-320-light", mail="letter.html", language="fr", level=STRONG, width=320, seen="poursuivre sur Telegram : @conseil_nord", link=True),
    Shot(name="letter-320-dark", mail="letter.html", language="fr", level=STRONG, width=320, seen="poursuivre sur Telegram : @conseil_nord", link=True, dark=True),
    Shot(name="letter-1000-light", mail="letter.html", language="fr", level=STRONG, width=1000, height=380, seen="poursuivre sur Telegram : @conseil_nord", link=True),
    Shot(name="letter-1000-dark", mail="letter.html", language="fr", level=STRONG, width=1000, height=380, seen="poursuivre sur Telegram : @conseil_nord", link=True, dark=True, in_docs=True),
    Shot(name="night-375-dark", mail="night.html", language="zh-hans", level=STRONG, seen="请加微信：lin_den77", dark=True),
    Shot(name="night-1000-light", mail="night.html", language="zh-hans", level=STRONG, width=1000, seen="请加微信：lin_den77"),
    Shot(name="arabic-on-english-375", mail="letter.html", language="ar", seen="Telegram: @conseil_nord", link=True, in_docs=True),
    Shot(name="arabic-on-english-1000-dark", mail="newsletter.html", language="ar", level=STRONG, width=1000, dark=True),
    Shot(name="english-on-arabic-375", mail="arabic.html", language="en", seen="واتساب"),
    Shot(name="long-handle-320", mail="letter.html", language="de", level=STRONG, width=320, height=560, seen=LONG, link=True),
    Shot(name="forced-colours-375", mail="newsletter.html", language="en", level=STRONG, link=True, forced=True),
    Shot(name="notice-375-light", mail="notice", language="ar", height=360),
    Shot(name="notice-1000-dark", mail="notice", language="en", level=STRONG, width=1000, height=320, dark=True, in_docs=True),
    Shot(name="text-375", mail="note.txt", language="en", seen="talk on WhatsApp", height=560),
    Shot(name="text-1000", mail="note.txt", language="en", seen="talk on WhatsApp", width=1000, height=440, in_docs=True),
    Shot(name="text-chinese-375", mail="note.zh.txt", language="zh-hans", level=STRONG, seen="请加微信：lin_den77", height=440),
    Shot(name="text-arabic-375", mail="note.txt", language="ar", level=STRONG, seen="talk on WhatsApp", height=560),
)  # fmt: skip
OTHER_LANGUAGES = (("es", "pt", "ru"), ("ko", "zh-hant"))


def banner(shot: Shot) -> Banner:
    reasons = (
        Reason(topic="channel", seen=shown(shot.seen)),
        Reason(topic="client"),
        Reason(topic="paid_report"),
    )
    return make_banner(
        level=shot.level,
        language=shot.language,
        reasons=reasons,
        texts=TEXTS,
        contact="security@example.org",
        report_url="https://intranet.example.org/report" if shot.link else "",
        sign=lambda _words: TOKEN,
    )


def annotated(body: str, kind: str, made: Banner) -> str | None:
    """The text of a mail of one part after the gateway's edit; None if there was none."""
    fields = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    raw = _FIELDS + fields.encode() + b"\r\n" + body.replace("\n", "\r\n").encode()
    plan = EditPlan(
        header=scan_header(raw),
        line_end=b"\r\n",
        banner=made,
        sites=read_message(raw, Facts()).edit_sites,
    )
    edited = render(raw, plan)
    if not edited.edits_body:
        return None
    return str(message_from_bytes(edited.raw, policy=default).get_content())


def document(shot: Shot) -> str:
    """The mail as a browser gets it, the text part as mail programs show one."""
    if shot.mail == "notice":
        made = notice(shot.language, may_hold=shot.level is STRONG)
        page = message_from_bytes(made.raw, policy=default).get_body(("html",))
        assert page is not None
        return str(page.get_content())
    body = (HERE / "mails" / shot.mail).read_text(encoding="utf-8")
    is_html = shot.mail.endswith(".html")
    text = annotated(body, "html" if is_html else "plain", banner(shot))
    assert text is not None
    if is_html:
        return text
    style = "white-space:pre-wrap;overflow-wrap:anywhere;font:14px monospace;margin:12px"
    scheme = "<style>:root{color-scheme:light dark}</style>"
    return f'<!doctype html>{scheme}<pre dir="auto" style="{style}">{escape(text)}</pre>'


def take(shots: tuple[Shot, ...]) -> dict[str, Image.Image]:
    """Pictures of all the shots, forced colours aside from one run of the browser."""
    pictures: dict[str, Image.Image] = {}
    for forced in (False, True):
        some = [shot for shot in shots if shot.forced is forced]
        if not some:
            continue
        tops = [sum(shot.height for shot in some[:index]) for index in range(len(some))]
        page = "".join(
            f'<iframe style="width:{shot.width}px;height:{shot.height}px;'
            f"color-scheme:{'dark' if shot.dark else 'light'};"
            f'background:{"#121212" if shot.dark else "#fff"}" scrolling=no '
            f'srcdoc="{escape(document(shot))}"></iframe>'
            for shot in some
        )
        style = "<style>body{margin:0}iframe{border:0;display:block}</style>"
        whole = photograph(
            f"<!doctype html><meta charset=utf-8>{style}{page}",
            max(shot.width for shot in some),
            tops[-1] + some[-1].height,
            forced_colours=forced,
        )
        for shot, top in zip(some, tops, strict=True):
            pictures[shot.name] = whole.crop((0, top, shot.width, top + shot.height))
    return pictures


def side_by_side(languages: tuple[str, ...]) -> Image.Image:
    """The banners of languages that have no picture of their own."""
    style = "body{display:flex;align-items:start;gap:8px;margin:8px}section{width:343px}"
    cells = "".join(
        f"<section>{banner(Shot(name=code, mail='', language=code)).html}</section>"
        for code in languages
    )
    return photograph(
        f"<!doctype html><style>{style}</style>{cells}", 351 * len(languages) + 8, 440
    )


def small(picture: Image.Image, colours: int = _COLOURS) -> Image.Image:
    return picture.quantize(colours, dither=Image.Dither.NONE)


def main() -> None:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    pictures = take(SHOTS)
    for shot in SHOTS:
        picture = small(pictures[shot.name])
        picture.save(GOLDEN / f"{shot.name}.png", optimize=True)
        if shot.in_docs:
            picture.save(DOCS / f"banner-{shot.name}.png", optimize=True)
    for group in OTHER_LANGUAGES:
        small(side_by_side(group), 12).save(GOLDEN / f"{'-'.join(group)}-343.png", optimize=True)


if __name__ == "__main__":
    main()
