"""Which parts may take a banner, and exactly where.

Finds the texts that a mail program shows first, and the octet before which a banner may stand: one
place for each of the versions among which it chooses. Edits nothing (`act` does, and checks every
claim against the octets). Offers no site where an edit could not be exact: anything signed or
encrypted, embedded messages, attached files, charsets that take no words, malformed structure on
the way to the text. What is wrong behind the place does not matter: nothing there is touched.

**Standards:** RFC 2046 §5.1.3, §5.1.4, §5.1.7, RFC 2387 §3.2 (which child is the main text),
RFC 2183 §2 (files), RFC 2045 §6.
**Failure:** never raises; without a site one word says why.
"""

import re
from collections.abc import Callable, Iterator

from milter.mail.charsets import writable_charset
from milter.mail.message import field_value
from milter.mail.reading import Defect, EditSite, Part, Protection
from milter.read.decode import IDENTITY_ENCODINGS, meta_charset
from milter.read.html_insertion import insertion_offset
from milter.read.mime import Node, Tree

# No less than what is read: who pads his mail must not get rid of the banner.
MAX_BODY_BYTES = 64_000_000
# The first and the last of more: those are what programs choose among many versions.
MAX_SITES = 32

Decode = Callable[[Node], tuple[bytes, Defect | None]]

_STRUCTURE_DEFECTS = frozenset(
    {Defect.TOO_DEEP, Defect.TOO_MANY_PARTS, Defect.MISSING_BOUNDARY, Defect.EMPTY_MULTIPART}
    | {Defect.TOO_MANY_FIELDS, Defect.HEADER_TOO_LARGE}
    | {Defect.JUNK_LINE_IN_HEADER, Defect.DUPLICATE_FIELD}
)
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_QP_ESCAPE = re.compile(rb"=(?:[0-9A-Fa-f]{2}|\r?\n)")
_QP_SOUND = re.compile(rb"(?:[^=]++|=[0-9A-Fa-f]{2}|=\r?\n)*+")
_BASE64_HEAD = re.compile(rb"(?:[A-Za-z0-9+/](?:\r?\n)*+){16}")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\r\n]")
# Between these the octets of ISO-2022-JP are no ASCII, though they look it.
_NOT_IN_ASCII = re.compile(rb"\x1b\$.*?(?:(?=\x1b\()|\Z)", re.DOTALL)


def find_edit_sites(
    raw: bytes, tree: Tree, decode: Decode, *, pgp_parts: frozenset[str] = frozenset()
) -> tuple[tuple[EditSite, ...], str]:
    """The sites, and why there is none ('' if there is one).

    `decode` gives the octets of a leaf without transfer encoding, `pgp_parts` the paths of text
    that holds inline PGP.
    """
    sites: list[EditSite] = []
    reason = ""
    texts = list(_MainTexts(raw, tree).below(0, may_be_named=True))
    if len(texts) > MAX_SITES:
        texts = texts[: MAX_SITES // 2] + texts[-MAX_SITES // 2 :]
    for node in texts:
        site, why = _site(raw, node, decode, pgp_parts)
        if site is not None:
            sites.append(site)
        reason = reason or why
    return tuple(sites), "" if sites else reason or "no_text"


class _MainTexts:
    """The leaves that a mail program shows first, or the node at which the way to them ends."""

    def __init__(self, raw: bytes, tree: Tree) -> None:
        self._raw = raw
        self._nodes = tree.nodes
        self._children: dict[int, list[int]] = {}
        for index, node in enumerate(tree.nodes):
            self._children.setdefault(node.parent, []).append(index)

    def below(self, index: int, *, may_be_named: bool) -> Iterator[Node]:
        """Those of one node.

        A text with a name is a file, unless it stands where only the text of the mail can stand.
        """
        node = self._nodes[index]
        part = node.part
        is_broken = any(defect in _STRUCTURE_DEFECTS for defect in part.defects)
        if part.protection is not Protection.NONE or is_broken:
            yield node
        elif node.is_leaf:
            if _is_shown_text(part) and (may_be_named or not part.filename):
                yield node
        elif part.media_type.startswith("multipart/"):
            yield from self._of_multipart(node, self._children[index])

    def _of_multipart(self, node: Node, children: list[int]) -> Iterator[Node]:
        if node.part.media_type == "multipart/alternative":
            for child in children:
                yield from self.below(child, may_be_named=True)
            return
        is_related = node.part.media_type == "multipart/related"
        if is_related:
            yield from self._named_root(node, children)
        # RFC 2046 §5.1.7: what is not known is mixed.
        for number, child in enumerate(children):
            texts = list(self.below(child, may_be_named=is_related and not number))
            if texts:
                yield from texts
                return

    def _named_root(self, node: Node, children: list[int]) -> Iterator[Node]:
        """The texts of the child that a multipart/related shows though it is not the first.

        Many programs show the first one all the same, so that both get a banner.
        """
        start = node.parameters.get("start", "").strip(" <>").encode("utf-8", "replace")
        for child in children[1:] if start else ():
            field = self._nodes[child].header.first(b"content-id")
            if field and field_value(self._raw, field).strip(b" <>") == start:
                yield from self.below(child, may_be_named=True)
                return


def _is_shown_text(part: Part) -> bool:
    return part.media_type in {"text/plain", "text/html"} and part.disposition != "attachment"


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
    if not node.header.terminated or any(d in _STRUCTURE_DEFECTS for d in part.defects):
        return None, "malformed"
    if encoding not in IDENTITY_ENCODINGS and encoding not in {"quoted-printable", "base64"}:
        return None, "encoding"
    if part.body_end - part.body_start > MAX_BODY_BYTES:
        return None, "too_large"
    octets, defect = decode(node)
    if defect is not None and encoding == "base64" and not _begins_as_base64(raw, part):
        return None, "encoding"
    charset = writable_charset(part.charset, octets[:2])
    if charset is None or ("charset" in node.parameters and not part.charset):
        return None, "charset"
    if charset.is_wide and (encoding != "base64" or not charset.is_sound(octets)):
        return None, "charset"
    if b"\0" in octets and not charset.is_wide:
        return None, "encoding"
    offset = _offset(part.media_type, octets, charset.codec if charset.is_wide else "")
    if offset is None:
        return None, "no_text"
    if _hides_label(part, octets, offset):
        return None, "charset"
    is_sound = defect is None
    insert_at = _raw_position(raw, part, encoding, octets, offset, is_sound=is_sound)
    if insert_at is None:
        return None, "encoding"
    return EditSite(
        part=part.path,
        kind="html" if part.media_type == "text/html" else "text",
        encoding=encoding,
        charset=part.charset or "us-ascii",
        body_start=part.body_start,
        body_end=part.body_end,
        insert_at=insert_at,
        header_end=node.header.header_end,
    ), ""


def _begins_as_base64(raw: bytes, part: Part) -> bool:
    """A list's footer may follow; a text that was never encoded begins otherwise."""
    return _BASE64_HEAD.match(raw, part.body_start, part.body_end) is not None


def _offset(media_type: str, octets: bytes, wide_codec: str) -> int | None:
    """Where the banner goes, counted in decoded octets."""
    # A byte order mark has to stay first: it is what tells a browser the charset.
    mark = next((len(mark) for mark in _BYTE_ORDER_MARKS if octets.startswith(mark)), 0)
    if media_type != "text/html":
        return mark
    if not wide_codec:
        # The same length, so that offsets hold.
        masked = octets
        if b"\x1b" in octets:
            masked = _NOT_IN_ASCII.sub(lambda run: b"x" * len(run[0]), octets)
        return insertion_offset(masked, mark)
    text = octets[mark:].decode(wide_codec, "replace")
    offset = insertion_offset(text.encode("latin-1", "replace"))
    if offset is None:
        return None
    prefix = text[:offset].encode(wide_codec)
    return mark + len(prefix) if octets.startswith(prefix, mark) else None


def _hides_label(part: Part, octets: bytes, offset: int) -> bool:
    """True if words at `offset` would push a document's own label out of sight.

    Programs look for it in the first kilobyte only, and where no charset is declared outside.
    """
    if part.media_type != "text/html" or part.charset or octets.isascii():
        return False
    return bool(meta_charset(octets)) and not meta_charset(octets[:offset])


def _raw_position(
    raw: bytes, part: Part, encoding: str, octets: bytes, offset: int, *, is_sound: bool
) -> int | None:
    """The raw offset of a decoded one; None if what stands before it is not soundly encoded."""
    if encoding == "base64":
        return offset if is_sound or _is_base64_before(raw, part, offset) else None
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
        if not is_sound and not _QP_SOUND.fullmatch(raw, part.body_start, position):
            return None
    return position


def _is_base64_before(raw: bytes, part: Part, offset: int) -> bool:
    """True if nothing but base64 stands before the group that holds the decoded offset."""
    foreign = _NOT_BASE64.search(raw, part.body_start, part.body_end)
    stop = foreign.start() if foreign else part.body_end
    characters = raw[part.body_start : stop].translate(None, b"\r\n").partition(b"=")[0]
    return len(characters) // 4 * 3 > offset
