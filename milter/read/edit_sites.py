"""Which parts may take a banner, and exactly where.

Finds the main text of a message, as text and as HTML, and the octet before which a banner may
stand. Edits nothing (`act` does, and checks every claim against the octets). Offers no site where
an edit could not be exact: anything signed or encrypted, embedded messages, other charsets and
encodings, flowed text, malformed structure.

**Standards:** RFC 2046 §5.1.3, §5.1.4, RFC 2387 (which child is the main text), RFC 3676 (flowed).
**Failure:** never raises; without a site one word says why.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from milter.mail.message import HeaderField
from milter.mail.reading import Defect, EditSite, Part, Protection
from milter.read.html_insertion import insertion_offset
from milter.read.mime import Node, Tree

MAX_BODY_BYTES = 8_000_000
MAX_SITES = 8

Decode = Callable[[Node], tuple[bytes, Defect | None]]

_CHARSETS = {
    "us-ascii": "us-ascii", "ascii": "us-ascii", "ansi_x3.4-1968": "us-ascii",
    "utf-8": "utf-8", "utf8": "utf-8",
    "iso-8859-1": "iso-8859-1", "iso8859-1": "iso-8859-1", "latin1": "iso-8859-1",
    "windows-1252": "windows-1252", "cp1252": "windows-1252", "cp-1252": "windows-1252",
}  # fmt: skip
_ENCODINGS = frozenset({"7bit", "8bit", "quoted-printable", "base64"})
_FIRST_BODY = frozenset({"multipart/mixed", "multipart/related", "multipart/parallel"})
_STRUCTURE_DEFECTS = frozenset(
    {Defect.TOO_DEEP, Defect.TOO_MANY_PARTS, Defect.MISSING_BOUNDARY, Defect.EMPTY_MULTIPART}
    | {Defect.TOO_MANY_FIELDS, Defect.HEADER_TOO_LARGE}
)
_HEADER_DEFECTS = frozenset({Defect.JUNK_LINE_IN_HEADER, Defect.DUPLICATE_FIELD})
_CHARSET_VALUE = re.compile(rb";\s*charset\s*=\s*\"?([^\s\";]++)", re.IGNORECASE)
_TOKEN_VALUE = re.compile(rb"\s*([^\s;\"()]++)")
_QP_ESCAPE = re.compile(rb"=(?:[0-9A-Fa-f]{2}|\r?\n)")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def find_edit_sites(
    raw: bytes, tree: Tree, decode: Decode, *, pgp_parts: frozenset[str] = frozenset()
) -> tuple[tuple[EditSite, ...], str]:
    """The sites, and why there is none ('' if there is one).

    `decode` gives the octets of a leaf without transfer encoding, `pgp_parts` the paths of text
    that holds inline PGP.
    """
    root = tree.nodes[0].part
    if root.protection is not Protection.NONE:
        return (), str(root.protection)
    if any(defect in _STRUCTURE_DEFECTS for defect in tree.defects):
        return (), "malformed"
    if any(defect in _HEADER_DEFECTS for defect in root.defects):
        return (), "malformed"
    sites: list[EditSite] = []
    reason = ""
    for node in islice(_main_texts(tree, 0), MAX_SITES):
        site, why = _site(raw, node, decode, pgp_parts)
        if site is not None:
            sites.append(site)
        reason = reason or why
    return tuple(sites), "" if sites else reason or "no_text"


def _main_texts(tree: Tree, index: int) -> Iterator[Node]:
    """The leaves that a mail program shows first."""
    node = tree.nodes[index]
    if node.is_leaf:
        if _is_inline_text(node.part):
            yield node
        return
    children = [at for at, child in enumerate(tree.nodes) if child.parent == index]
    if node.part.media_type == "multipart/alternative":
        for child in children:
            yield from _main_texts(tree, child)
    elif node.part.media_type in _FIRST_BODY:
        for child in children:
            if tree.nodes[child].part.protection is not Protection.NONE:
                # The main text is signed: what comes behind it is a list footer.
                yield tree.nodes[child]
                return
            if texts := list(_main_texts(tree, child)):
                yield from texts
                return


def _is_inline_text(part: Part) -> bool:
    return (
        part.media_type in {"text/plain", "text/html"}
        and part.disposition in {"", "inline"}
        and not part.filename
    )


def _site(
    raw: bytes, node: Node, decode: Decode, pgp_parts: frozenset[str]
) -> tuple[EditSite | None, str]:
    """The site of one leaf, or why it has none."""
    part = node.part
    encoding = part.encoding or "7bit"
    if part.protection is not Protection.NONE:
        return None, str(part.protection)
    if part.path in pgp_parts:
        return None, str(Protection.INLINE_PGP)
    if not node.header.terminated or any(defect in _HEADER_DEFECTS for defect in part.defects):
        return None, "malformed"
    if node.parameters.get("format", "").lower() == "flowed" or "delsp" in node.parameters:
        return None, "flowed"
    if encoding not in _ENCODINGS:
        return None, "encoding"
    if part.body_end - part.body_start > MAX_BODY_BYTES:
        return None, "too_large"
    octets, defect = decode(node)
    if defect is not None or b"\0" in octets or _is_mislabelled(raw, part, encoding):
        return None, "encoding"
    charset = _charset(part.charset, octets)
    if not charset or ("charset" in node.parameters and not part.charset):
        return None, "charset"
    offset = _offset(part.media_type, octets)
    if offset is None:
        return None, "no_text"
    insert_at, column = _raw_position(raw, part, encoding, octets, offset)
    charset_field = node.header.first(b"content-type")
    encoding_field = node.header.first(b"content-transfer-encoding")
    charset_start, charset_end = _span(raw, charset_field, _CHARSET_VALUE)
    if part.charset and raw[charset_start:charset_end].lower() != part.charset.encode("latin-1"):
        # Written in a way that cannot be replaced in place (RFC 2231, comment, odd quoting).
        return None, "charset"
    encoding_start, encoding_end = _span(raw, encoding_field, _TOKEN_VALUE)
    return EditSite(
        part=part.path,
        kind="html" if part.media_type == "text/html" else "text",
        encoding=encoding,
        charset=charset,
        body_start=part.body_start,
        body_end=part.body_end,
        insert_at=insert_at,
        column=column,
        charset_start=charset_start,
        charset_end=charset_end,
        encoding_start=encoding_start,
        encoding_end=encoding_end,
        header_end=node.header.header_end,
        line_end=_line_end(raw, node),
    ), ""


def _is_mislabelled(raw: bytes, part: Part, encoding: str) -> bool:
    """8-bit octets inside an encoding that has none; under 7bit they are common and harmless."""
    is_encoded = encoding in {"quoted-printable", "base64"}
    return is_encoded and not raw[part.body_start : part.body_end].isascii()


def _charset(declared: str, octets: bytes) -> str:
    """The charset to write a banner in, '' if the text is not what it claims to be."""
    if not declared:
        return "us-ascii" if octets.isascii() else ""
    charset = _CHARSETS.get(declared, "")
    if charset == "us-ascii":
        return charset if octets.isascii() else ""
    if charset == "utf-8" and not octets.isascii():
        try:
            octets.decode("utf-8")
        except UnicodeDecodeError:
            return ""
    return charset


def _offset(media_type: str, octets: bytes) -> int | None:
    """Where the banner goes, counted in decoded octets."""
    if media_type != "text/html":
        return 0
    # A byte order mark has to stay first: it is what tells a browser the charset.
    return insertion_offset(octets, 3 if octets.startswith(_BYTE_ORDER_MARK) else 0)


def _raw_position(
    raw: bytes, part: Part, encoding: str, octets: bytes, offset: int
) -> tuple[int, int]:
    """The raw offset of a decoded one, and how far into its raw line it stands."""
    if encoding == "base64":
        line_start = octets.rfind(b"\n", 0, offset) + 1
        return offset, offset - line_start
    position = part.body_start + offset
    if encoding == "quoted-printable":
        # Each escape before it costs two octets more than it gives, a soft line break all of it.
        decoded = part.body_start
        literal_from = part.body_start
        for escape in _QP_ESCAPE.finditer(raw, part.body_start, part.body_end):
            decoded += escape.start() - literal_from
            if decoded - part.body_start >= offset:
                decoded -= escape.start() - literal_from
                break
            literal_from = escape.end()
            decoded += 1 if escape.end() - escape.start() == 3 and escape[0][1] > 32 else 0
        position = literal_from + offset - (decoded - part.body_start)
    line_start = raw.rfind(b"\n", part.body_start, position) + 1 or part.body_start
    return position, position - line_start


def _span(raw: bytes, field: HeaderField | None, pattern: "re.Pattern[bytes]") -> tuple[int, int]:
    found = pattern.search(raw, field.value_start, field.end) if field else None
    return found.span(1) if found else (0, 0)


def _line_end(raw: bytes, node: Node) -> bytes:
    """The line end that this part uses: that of the empty line before its body."""
    return b"\r\n" if raw.endswith(b"\r\n", 0, node.part.body_start) else b"\n"
