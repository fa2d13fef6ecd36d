"""What a reader of an HTML part sees: text, links, and what the sender hides from the eye.

Block elements become lines, inline elements and comments leave no trace (so that `W<b>hats</b>App`
is one word). Never fetches, runs or renders. The language of styles is `visibility`; documents
that would make the parser slow (`guard`) and text-only mode are read by `html_fallback`.

**Standards:** WHATWG HTML (parsing, by lexbor), CSS only as far as `visibility` goes.
**Failure:** never raises because of content; `Defect.HTML_NOT_ANALYSED` says that only tags were
stripped, so that hidden text could not be told apart.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from milter.mail.marker import MARKER, is_own_banner
from milter.mail.reading import Defect, Link
from milter.read.html_fallback import strip_tags
from milter.read.html_guard import is_analysable
from milter.read.own_banner import MAX_MARKED_ELEMENTS, MAX_OWN_BANNER_CHARS
from milter.read.visibility import (
    MAX_STYLE_CHARS,
    Hiding,
    hiding,
    hiding_selectors,
    is_nearly_white,
    parse_colour,
    sets_background,
)

MAX_LINKS = 1_000
MAX_TARGET_CHARS = 4_000
MAX_SHOWN_CHARS = 500
_MAX_ANCESTORS = 40
_MAX_PREFORMATTED = 500
_MAX_NAMES = 200

# Marks that travel inside the text while the tree is flattened: noncharacters, which no mail means.
_LINE = "\ufdd0"
_QUOTE, _QUOTE_END = "\ufdd1", "\ufdd2"
_INDENT, _INDENT_END = "\ufdd3", "\ufdd4"
_SIGN, _SIGN_END = "\ufdd5", "\ufdd6"
_SPAN_MARKS = "".join(map(chr, range(0xFDD1, 0xFDD7)))
_MARKS = _LINE + _SPAN_MARKS
_ANY_MARK = re.compile(f"[{_MARKS}]")
_WITHOUT_MARKS = str.maketrans(dict.fromkeys(_MARKS, "\ufffd"))

_NO_CONTENT = frozenset(["script", "style", "template", "iframe", "noembed", "noframes", "title"])
# fmt: off
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "button", "caption", "center",
    "col", "colgroup", "dd", "details", "dialog", "dir", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "frame", "frameset", "h1", "h2", "h3", "h4", "h5",
    "h6", "head", "header", "hr", "html", "input", "legend", "li", "link", "main", "menu", "meta",
    "nav", "object", "ol", "optgroup", "option", "p", "pre", "section", "select", "summary",
    "table", "tbody", "td", "textarea", "tfoot", "th", "thead", "tr", "ul", "video",
})
# fmt: on
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
_STRONG_QUOTE = re.compile(r"gmail_quote|protonmail_quote|tutanota_quote|isReplyContent")
_SIGNATURES = (
    '[class*="gmail_signature"],[class*="moz-signature"],[class*="protonmail_signature_block"],'
    '[id="Signature"],[id="AppleMailSignature"],[id="ms-outlook-mobile-signature"]'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlText:
    """The visible text with LF line ends, and spans in it.

    `quoted` are blocks that a mail program marked as quoted, `indented` other block quotes,
    `signed` blocks marked as a signature. `hidden` is one text per hidden element.
    """

    text: str
    hidden: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    quoted: tuple[tuple[int, int], ...] = ()
    indented: tuple[tuple[int, int], ...] = ()
    signed: tuple[tuple[int, int], ...] = ()
    defect: Defect | None = None


def read_html(
    html: str, *, part: str = "", banner_key: bytes = b"", text_only: bool = False
) -> HtmlText:
    """Read one HTML document; by `banner_key` our own banner is known and left out."""
    if not text_only and is_analysable(html):
        if any(mark in html for mark in _MARKS):
            html = html.translate(_WITHOUT_MARKS)
        read = _read_tree(html, part, banner_key)
        if read is not None:
            return read
    text, targets = strip_tags(html)
    return HtmlText(
        text=text,
        links=tuple(Link(target=target, shown="", part=part) for target in targets[:MAX_LINKS]),
        defect=Defect.HTML_NOT_ANALYSED,
    )


def _read_tree(html: str, part: str, banner_key: bytes) -> HtmlText | None:
    """Read by parser; None if the tree is out of all proportion to the text."""
    tree = LexborHTMLParser(html)
    root = tree.root
    if root is None:
        return None
    names = _clean(root, most_nodes=4 * html.count("<") + 1_000)
    if names is None:
        return None
    if banner_key and "lw-" in html:
        _remove_own_banners(root, banner_key)
    links: list[Link] = []
    hidden: list[str] = []
    for node in _hidden_nodes(root, names):
        links.extend(_links(node, part, visible=False))
        if text := _squeeze(node.text()):
            hidden.append(text)
        node.decompose()
    if unseen := names & _NO_CONTENT:
        root.strip_tags(list(unseen))
    links.extend(_links(root, part, visible=True))
    if "img" in names:
        _show_alternatives(root)
    _mark(root, names, html)
    for name in names - _BLOCKS:
        try:
            root.unwrap_tags([_NOT_IN_NAMES.sub(r"\\\g<0>", name)], delete_empty=True)
        except SelectolaxError:
            continue
    root.merge_text_nodes()
    return _unmark(root.text(separator=_LINE), hidden, links[:MAX_LINKS])


def _clean(root: LexborNode, most_nodes: int) -> set[str] | None:
    """Remove comments, which would cut words in two; the names of all elements."""
    tags = [node.tag for node in islice(root.traverse(include_text=True), most_nodes)]
    names = set(tags)
    if len(tags) == most_nodes or len(names) > _MAX_NAMES:
        return None
    if "-comment" in names:
        nodes = root.traverse(include_text=True)
        for comment in [node for node in nodes if node.is_comment_node]:
            comment.decompose()
    return {name for name in names if name and name[0] != "-"}


def _hidden_nodes(root: LexborNode, names: set[str]) -> Iterator[LexborNode]:
    """Elements that hide what they hold, innermost first, so that each is still there when used.

    Whoever takes a node may destroy it before asking for the next.
    """
    sheets = [node.text() for node in root.css("style")] if "style" in names else []
    white_on_white = not any(map(sets_background, sheets))
    styled = [
        (hiding((node.attrs.get("style") or "")[:MAX_STYLE_CHARS]), node)
        for node in root.css("[style]")
    ]
    for kind, node in reversed([pair for pair in styled if pair[0]]):
        if kind is Hiding.ALL:
            yield node
        elif kind is Hiding.OWN_TEXT:
            yield from _own_text(node)
        elif white_on_white and not _on_background(node):
            yield node
    for selector in (selector for sheet in sheets for selector in hiding_selectors(sheet)):
        yield from reversed(root.css(selector))
    yield from reversed(root.css("[hidden]"))
    if white_on_white and "font" in names:
        for node in reversed(root.css("font[color]")):
            colour = parse_colour((node.attributes.get("color") or "").strip().lower())
            if is_nearly_white(colour) and not _on_background(node):
                yield node


def _own_text(node: LexborNode) -> Iterator[LexborNode]:
    """The node itself, unless something in it sets a size or colour again: then its own text."""
    # `css` finds the node itself too.
    if len(node.css("[style]")) <= 1 and not node.css_first("[size],[color]"):
        yield node
    else:
        yield from [child for child in node.iter(include_text=True) if child.is_text_node]


def _on_background(node: LexborNode) -> bool:
    """Does an element around this one put a background behind it?"""
    ancestor: LexborNode | None = node
    for _ in range(_MAX_ANCESTORS):
        if ancestor is None or not ancestor.is_element_node:
            return False
        attributes = ancestor.attributes
        if "bgcolor" in attributes or "background" in attributes:
            return True
        if sets_background(attributes.get("style") or ""):
            return True
        ancestor = ancestor.parent
    return True


def _links(node: LexborNode, part: str, *, visible: bool) -> Iterator[Link]:
    for element, name in [(anchor, "href") for anchor in node.css("a[href],area[href]")] + [
        (form, "action") for form in node.css("form[action]")
    ]:
        # A link in SVG matches the selector under another name.
        target = element.attrs.get(name) or element.attrs.get("xlink:href") or ""
        target = target.strip()[:MAX_TARGET_CHARS]
        if target and target[0] != "#":
            shown = _squeeze(element.text())[:MAX_SHOWN_CHARS] if name == "href" else ""
            yield Link(target=target, shown=shown, part=part, visible=visible)


def _show_alternatives(root: LexborNode) -> None:
    """Put the alternative text of images where the image stands."""
    for image in root.css("img[alt]"):
        text = image.attrs.get("alt") or ""
        if text.strip():
            image.insert_before(f" {_ANY_MARK.sub('', text)} ")


def _mark(root: LexborNode, names: set[str], html: str) -> None:
    """Put marks around quotations and signatures, and line marks into preformatted text."""
    if "blockquote" in names:
        for node in root.css("blockquote"):
            attributes = node.attributes
            known = f"{attributes.get('class')} {attributes.get('id')}"
            is_strong = "type" in attributes or "cite" in attributes or _STRONG_QUOTE.search(known)
            node.insert_before(_QUOTE if is_strong else _INDENT)
            node.insert_after(_QUOTE_END if is_strong else _INDENT_END)
    if "ignature" in html:
        for node in root.css(_SIGNATURES):
            node.insert_before(_SIGN)
            node.insert_after(_SIGN_END)
    if "pre" in names or "white-space" in html:
        for node in root.css('pre,textarea,[style*="pre-wrap"],[style*="pre-line"]')[
            :_MAX_PREFORMATTED
        ]:
            for text in list(node.traverse(include_text=True)):
                if text.is_text_node and "\n" in (content := text.text_content or ""):
                    text.replace_with(content.replace("\n", _LINE))


def _unmark(marked: str, hidden: list[str], links: list[Link]) -> HtmlText:
    """From the flattened tree to lines and spans."""
    # White space goes in one sweep over all lines; the line mark itself is none.
    lines = [line for piece in " ".join(marked.split()).split(_LINE) if (line := piece.strip())]
    has_spans = any(mark in marked for mark in _SPAN_MARKS)
    text = "\n".join(_with_text(lines) if has_spans else lines)
    spans: dict[str, list[tuple[int, int]]] = {_QUOTE: [], _INDENT: [], _SIGN: []}
    if has_spans:
        text = _collect_spans(text, spans)
    return HtmlText(
        text=text,
        hidden=tuple(reversed(hidden)),
        links=tuple(links),
        quoted=tuple(spans[_QUOTE]),
        indented=tuple(spans[_INDENT]),
        signed=tuple(spans[_SIGN]),
    )


def _with_text(lines: Iterable[str]) -> Iterator[str]:
    """Lines that hold nothing but marks stand before the next line that holds text."""
    pending = ""
    for line in lines:
        pending += line
        if line.strip(_MARKS + " "):
            yield pending
            pending = ""
    if pending:
        yield pending


def _collect_spans(text: str, spans: dict[str, list[tuple[int, int]]]) -> str:
    """Remove the marks and note the outermost span of each kind."""
    ends = {_QUOTE_END: _QUOTE, _INDENT_END: _INDENT, _SIGN_END: _SIGN}
    depth = dict.fromkeys(spans, 0)
    begin = dict.fromkeys(spans, 0)
    pieces: list[str] = []
    length = position = 0
    for match in _ANY_MARK.finditer(text):
        pieces.append(text[position : match.start()])
        length += match.start() - position
        position = match.end()
        mark = match[0]
        if mark in depth:
            if not depth[mark]:
                begin[mark] = length
            depth[mark] += 1
        elif depth.get(kind := ends.get(mark, ""), 0):
            depth[kind] -= 1
            if not depth[kind]:
                spans[kind].append((begin[kind], length))
    pieces.append(text[position:])
    return "".join(pieces)


def _remove_own_banners(root: LexborNode, banner_key: bytes) -> None:
    """Leave our own banners out, also where a mail program has put a prefix before the class."""
    marked = root.css('[class*="lw-"]')
    for node in reversed(marked[:MAX_MARKED_ELEMENTS]):
        marker = MARKER.search(node.attributes.get("class") or "")
        if marker and is_own_banner(banner_key, marker[1], node.text()[:MAX_OWN_BANNER_CHARS]):
            node.decompose()


def _squeeze(text: str) -> str:
    return " ".join(text.split())
