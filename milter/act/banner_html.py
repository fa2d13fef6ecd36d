"""The banner as HTML: pure ASCII, no remote content, and no way for the sender's CSS to hide it.

Every element carries its own style, with `!important`: a style attribute outranks any style sheet
of the same importance, in layers too, and `all` takes back what we do not name. The look stands in
front once more without it, for mail programs that drop such declarations. What a style attribute
cannot answer is named in docs/banner.md. Text stands in flex boxes only, because `::first-line` and
`::first-letter` of a style sheet reach no others; the font is a generic one, because the sender may
define any named one. Colours follow the reader's light or dark mode by `light-dark()`.

**Standards:** CSS Cascading and Inheritance 5 §6.1, CSS Flexbox 1 §3 (no first line), CSS Color 5
(light-dark), WCAG 2.2 §1.4.3 (contrast) and §1.4.10 (320 pixels), WAI-ARIA 1.2 (note, list).
**Failure:** none; every value is escaped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from milter.act.banner_texts import KEEPS_WORDS, Wording

# RFC 5322 §2.1.1 allows 998 octets a line; a Chinese character takes eight as a reference.
_LINE_OCTETS = 200
_LONGEST_RUN = 100
_BULLET = "\u2022"
_TITLE = "font-size:17px;font-weight:700"
# A line end that is neither space nor element: an element would break the text of a flex box.
_BREAK = "<!--\n-->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The four colours of a banner in one mode."""

    background: str
    text: str
    border: str
    link: str


# Contrast of text on background above 12:1, of the link above 7:1, of the border above 3:1.
NOTICE = Palette(background="#fff6dd", text="#2b2100", border="#b26a00", link="#6b3d00")
NOTICE_DARK = Palette(background="#2d2308", text="#fdf0cf", border="#d99a2b", link="#ffd27a")
STRONG = Palette(background="#fdecea", text="#3a0b08", border="#b3261e", link="#7d1510")
STRONG_DARK = Palette(background="#3b1412", text="#fde9e7", border="#e8766c", link="#ffb4ab")

# `all` undoes whatever a style sheet says, except the direction.
_CHILD = "all:unset;display:flex;visibility:visible;unicode-bidi:isolate;direction:"
# The box is first and whole in any layout of its parent, and above what the sender positions. What
# `all` says is said again where a mail program may not know it; most text stands in the box itself.
_BOX = (
    "all:initial;display:flex;flex-flow:column;gap:6px;visibility:visible;opacity:1;height:auto;"
    "position:relative;z-index:2147483647;box-sizing:border-box;min-width:280px;max-width:100%;"
    "flex-shrink:0;order:-9;grid-area:1/1/auto/-1;column-span:all;scroll-snap-align:start;"
    "overflow-wrap:anywhere;unicode-bidi:isolate;color-scheme:light dark"
)


def html_banner(wording: Wording, sign: Callable[[str], str], *, strong: bool) -> str:
    """The element, LF line ends, no line above 998 octets; `sign` makes a token for its words."""
    light, dark = (STRONG, STRONG_DARK) if strong else (NOTICE, NOTICE_DARK)
    start = "right" if wording.direction == "rtl" else "left"
    box = _broken(_box(light, dark, wording, start))
    pieces = [
        f'<div class="lw-{sign(_words(wording))}" role="note" '
        f'aria-label="{_escaped(wording.label)}" lang="{wording.tag}" '
        f'dir="{wording.direction}" style="{box}">',
        _element(f' style="{_TITLE};', _TITLE, wording, wording.title),
        _text(wording.because),
    ]
    if wording.reasons:
        item = f"text-indent:-12px;padding-{start}:12px"
        items = (
            _element(' role="listitem" style="', item, wording, f"{_BULLET} {reason}")
            for reason in wording.reasons
        )
        around = _open(' role="list" style="', "flex-flow:column", wording)
        pieces += [around, *items, "</div>"]
    pieces.append(_text(wording.advice))
    if wording.tell:
        pieces.append(_element(' style="', "", wording, wording.tell))
    if wording.report_url:
        pieces.append(_link(wording, light, dark))
    pieces.append("</div>")
    return "\n".join(pieces)


def notice_html(about: str, banner: str, *, tag: str, direction: str) -> str:
    """A whole page for a mail of our own: a sentence about which mail it is, and the banner."""
    return (
        f'<!DOCTYPE html>\n<html lang="{tag}" dir="{direction}">\n<head><meta charset="utf-8">'
        '<meta name="color-scheme" content="light dark"></head>\n'
        '<body style="margin:12px;font:15px/1.45 Arial,sans-serif">\n'
        f'<p style="margin:0 0 12px">{_text(about)}</p>\n{banner}\n</body>\n</html>\n'
    )


def _words(wording: Wording) -> str:
    """All that a reader sees, in order."""
    link = wording.report if wording.report_url else ""
    reasons = (f"{_BULLET} {reason}" for reason in wording.reasons)
    shown = (wording.title, wording.because, *reasons, wording.advice, wording.tell, link)
    return " ".join(shown)


def _box(light: Palette, dark: Palette, wording: Wording, start: str) -> str:
    look = (
        f"background-color:{light.background};color:{light.text};border:1px solid {light.border};"
        f"border-{start}-width:6px;border-radius:4px;padding:10px 14px;margin:0 0 16px"
    )
    modes = (
        f"padding-inline-end:max(14px,100% - 800px);"
        f"text-align:{start};direction:{wording.direction};"
        f"background-color:light-dark({light.background},{dark.background});"
        f"color:light-dark({light.text},{dark.text});"
        f"border-color:light-dark({light.border},{dark.border})"
    )
    if wording.tag in KEEPS_WORDS:
        modes += ";word-break:keep-all"
    plain = f"{look};font:15px/1.45 Arial,sans-serif"
    return f"{plain};{_important(f'{_BOX};{look};font:15px/1.45 sans-serif;{modes}')}"


def _open(attributes: str, look: str, wording: Wording) -> str:
    style = _important(f"{_CHILD}{wording.direction};{look}".rstrip(";"))
    return f'<div{attributes}{_broken(style)}">'


def _element(attributes: str, look: str, wording: Wording, text: str) -> str:
    return f"{_open(attributes, look, wording)}{_text(text)}</div>"


def _link(wording: Wording, light: Palette, dark: Palette) -> str:
    look = f"color:{light.link};text-decoration:underline"
    more = (
        f"color:light-dark({light.link},{dark.link});align-self:flex-start;cursor:pointer;"
        "outline:revert"
    )
    style = f"{look};{_important(f'{_CHILD}{wording.direction};{look};{more}')}"
    return (
        f'<a href="{_escaped(wording.report_url)}" target="_blank" rel="noopener noreferrer" '
        f'style="{_broken(style)}">{_text(wording.report)}</a>'
    )


def _broken(style: str) -> str:
    """The declarations on lines of moderate length."""
    return _joined(style.split(";"), ";")


def _text(text: str) -> str:
    """Escaped text on lines of moderate length; a long run without a space gets a comment."""
    words = (
        _BREAK.join(
            _escaped(word[index : index + _LONGEST_RUN])
            for index in range(0, len(word), _LONGEST_RUN)
        )
        for word in text.split(" ")
    )
    return _joined(list(words), " ")


def _joined(pieces: list[str], separator: str) -> str:
    """The pieces with separators, and a line end after a separator or in the place of a space."""
    joined, used = "", 0
    for piece in pieces:
        if joined and used + len(piece) > _LINE_OCTETS:
            joined += separator.strip() + "\n"
            used = 0
        elif joined:
            joined += separator
        joined += piece
        used += len(piece) + 1
    return joined


def _important(declarations: str) -> str:
    return ";".join(f"{each}!important" for each in declarations.split(";"))


def _escaped(text: str) -> str:
    """Text for an element or an attribute: markup escaped, all but ASCII as references."""
    return escape(text, quote=True).encode("ascii", "xmlcharrefreplace").decode("ascii")
