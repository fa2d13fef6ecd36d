"""The banner as HTML: pure ASCII, no remote content, and no way for the sender's CSS to hide it.

Every element carries its own style, with `!important`: a style attribute outranks any style sheet
of the same importance, in layers too, and `all` takes back what we do not name. The same few
properties stand in front without it, for mail programs that drop such declarations. What a style
attribute cannot answer is named in docs/banner.md.

**Standards:** CSS Cascading and Inheritance 5 §6.1, WCAG 2.2 §1.4.3 (contrast), WAI-ARIA 1.2
(role note).
**Failure:** none; every value is escaped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from milter.act.banner_texts import Wording

# RFC 5322 §2.1.1 allows 998 octets a line; a Chinese character takes eight as a reference.
_LINE_OCTETS = 200
_LONGEST_RUN = 100

_FONT = "font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:1.45"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Palette:
    background: str
    text: str
    border: str
    link: str


# Contrast of text on background above 12:1, of the link above 7:1; legible when inverted too.
_NOTICE = _Palette(background="#fff6dd", text="#2b2100", border="#b26a00", link="#6b3d00")
_STRONG = _Palette(background="#fdecea", text="#3a0b08", border="#b3261e", link="#7d1510")


def html_banner(wording: Wording, sign: Callable[[str], str], *, strong: bool) -> str:
    """The element, LF line ends, no line above 998 octets; `sign` makes a token for its words."""
    palette = _STRONG if strong else _NOTICE
    align = "right" if wording.direction == "rtl" else "left"
    base = f"color:{palette.text};text-align:{align};direction:{wording.direction}"
    marker = f"lw-{sign(_words(wording))}"
    pieces = [
        f'<div class="{marker}" role="note" aria-label="{_escaped(wording.label)}" '
        f'lang="{wording.tag}" dir="{wording.direction}" style="{_broken(_box(palette, base))}">',
        _element("div", f"{base};font-size:16px;font-weight:700;margin:0 0 6px", wording.title),
        _element("div", f"{base};margin:0 0 4px", wording.because),
    ]
    if wording.reasons:
        pieces.append(_open("ul", f"{base};margin:0 0 6px;{_indent(wording.direction)}"))
        item = f"{base};list-style:disc outside;margin:0 0 2px"
        pieces += [_element("li", item, reason, "list-item") for reason in wording.reasons]
        pieces.append("</ul>")
    pieces.append(_element("div", f"{base};margin:0 0 4px", wording.advice))
    if wording.tell:
        pieces.append(_element("div", f"{base};font-weight:700;margin:0", wording.tell))
    if wording.report_url:
        pieces.append(_link(wording, palette))
    pieces.append("</div>")
    return "\n".join(pieces)


def _words(wording: Wording) -> str:
    """All that a reader sees, in order."""
    link = wording.report if wording.report_url else ""
    shown = (wording.title, wording.because, *wording.reasons, wording.advice, wording.tell, link)
    return " ".join(shown)


def _box(palette: _Palette, base: str) -> str:
    look = (
        f"{base};background:{palette.background};{_FONT};font-weight:400;"
        f"border:1px solid {palette.border};border-{_start(base)}:6px solid {palette.border};"
        "border-radius:4px;padding:10px 14px;margin:0 0 16px"
    )
    # Last in its layer and above what the sender positions, as far as a style can say so.
    hold = (
        "all:initial;display:block;visibility:visible;opacity:1;position:relative;"
        "z-index:2147483647;float:none;clear:both;box-sizing:border-box;width:auto;"
        "max-width:100%;height:auto;max-height:none;overflow:visible;clip-path:none;transform:none;"
        "filter:none;text-indent:0;white-space:normal;overflow-wrap:anywhere;"
        "animation:none;transition:none;unicode-bidi:isolate;color-scheme:only light"
    )
    return f"{look};{_important(hold)};{_important(look)}"


def _start(base: str) -> str:
    return "right" if base.endswith("rtl") else "left"


def _indent(direction: str) -> str:
    return "padding:0 20px 0 0" if direction == "rtl" else "padding:0 0 0 20px"


def _open(name: str, look: str, display: str = "block") -> str:
    hold = f"all:unset;display:{display};visibility:visible;opacity:1;font-size:14px"
    style = f"{look};{_important(hold)};{_important(look)}"
    return f'<{name} style="{_broken(style)}">'


def _element(name: str, look: str, text: str, display: str = "block") -> str:
    return f"{_open(name, look, display)}\n{_text(text)}</{name}>"


def _link(wording: Wording, palette: _Palette) -> str:
    look = f"color:{palette.link};text-decoration:underline;margin:4px 0 0"
    hold = "all:unset;display:inline-block;visibility:visible;opacity:1;cursor:pointer"
    style = f"{look};{_important(hold)};{_important(look)}"
    return (
        f'<a href="{_escaped(wording.report_url)}" target="_blank" rel="noopener noreferrer" '
        f'style="{_broken(style)}">\n{_text(wording.report)}</a>'
    )


def _broken(style: str) -> str:
    """The declarations on lines of moderate length."""
    return _joined(style.split(";"), ";")


def _text(text: str) -> str:
    """Escaped text on lines of moderate length; a long run without a space is broken in a tag."""
    words = (
        "<wbr\n>".join(
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
