"""The second look at an edited message: is everything outside the edit what it was?

Compares two messages as a receiver would see them. Knows nothing of how the edit was made: it takes
no spans, plans or sites from anybody, only the octets before and after.

**Standards:** design rule 7; RFC 8601 §5 and our own fields for what may come and go.
**Failure:** never raises because of content; `problem` names the first difference in one word:
structure, header, part_header, unedited, edited_text, no_banner.
"""

from milter.mail.charsets import UNLABELLED, writable_charset
from milter.mail.marker import MARKER
from milter.mail.message import Header, HeaderField, field_value
from milter.mail.own_fields import is_own_field
from milter.mail.reading import Facts, IntegrityReport, Part
from milter.read.decode import decode_charset, decode_transfer
from milter.read.mime import Node, Tree, scan_message
from milter.read.parameters import Parameters, parse_parameters

_RELABELLED = frozenset({b"content-type", b"content-transfer-encoding", b"mime-version"})


def verify(original: bytes, edited: bytes, facts: Facts) -> IntegrityReport:
    """Compare an edited message with what arrived."""
    before = scan_message(original, digests=False)
    after = scan_message(edited, digests=False)
    parts = len(after.nodes)
    shape = _shape(before)
    if shape != _shape(after):
        return IntegrityReport(problem="structure", parts=parts)
    changed = [
        (old, new)
        for old, new in zip(before.nodes, after.nodes, strict=True)
        if old.is_leaf and not _same_body(original, old.part, edited, new.part)
    ]
    edited_parts = tuple(old.part.path for old, _ in changed)

    def problem(word: str, detail: str = "") -> IntegrityReport:
        return IntegrityReport(
            problem=word, parts=parts, edited_parts=edited_parts, detail=detail[:200]
        )

    is_root_edited = bool(changed) and changed[0][0].parent < 0
    detail = _root_header_difference(original, before, edited, after, facts, is_root_edited)
    if detail:
        return problem("header", detail)
    if not _same_outside(original, before, edited, after, changed):
        return problem("unedited")
    for old, new in changed:
        if old.parent >= 0:
            detail = _header_difference(original, old.header, edited, new.header)
            if detail:
                return problem("part_header", detail)
        inserted = _inserted(_text(original, old), _text(edited, new))
        if not inserted:
            return problem("edited_text", old.part.path)
        if facts.banner_key and not MARKER.search(inserted):
            return problem("no_banner", old.part.path)
    return IntegrityReport(parts=parts, edited_parts=edited_parts)


def _same_body(original: bytes, old: Part, edited: bytes, new: Part) -> bool:
    """Octets are compared, not digests: a digest of each costs five times as much."""
    length = old.body_end - old.body_start
    if length != new.body_end - new.body_start:
        return False
    return edited.startswith(original[old.body_start : old.body_end], new.body_start)


def _shape(tree: Tree) -> list[tuple[str, str, bool, str, str]]:
    """Number, order, numbers and types of all parts, and what protects and names them."""
    return [
        (
            node.part.path,
            node.part.media_type,
            node.is_leaf,
            node.part.filename,
            str(node.part.protection),
        )
        for node in tree.nodes
    ]


def _root_header_difference(
    original: bytes, before: Tree, edited: bytes, after: Tree, facts: Facts, is_edited: bool
) -> str:
    """The first field that differs and may not, '' if none."""
    old, new = (
        [
            field
            for field in tree.nodes[0].header.fields
            if not is_own_field(
                field.name, raw[field.value_start : field.end], facts.own_authserv_id
            )
        ]
        for raw, tree in ((original, before), (edited, after))
    )
    return _fields_difference(original, old, edited, new, may_relabel=is_edited, may_tag=True)


def _header_difference(original: bytes, old: Header, edited: bytes, new: Header) -> str:
    return _fields_difference(
        original, list(old.fields), edited, list(new.fields), may_relabel=True, may_tag=False
    )


def _fields_difference(
    original: bytes,
    old: list[HeaderField],
    edited: bytes,
    new: list[HeaderField],
    *,
    may_relabel: bool,
    may_tag: bool,
) -> str:
    """Compare field by field; a new label may also be a field that was not there."""
    if may_relabel:
        had = {field.name for field in old}
        new = [field for field in new if field.name not in _RELABELLED or field.name in had]
    if len(old) != len(new):
        return "number of fields"
    for before, after in zip(old, new, strict=True):
        if original[before.start : before.end] == edited[after.start : after.end]:
            continue
        name = before.name.decode("ascii", "replace")
        if before.name != after.name:
            return name
        old_value, new_value = field_value(original, before), field_value(edited, after)
        if before.name == b"subject" and may_tag:
            # A tag is put in front of the value, which itself stays as it stood.
            old_octets = original[before.value_start : before.end].strip()
            if not edited[after.value_start : after.end].strip().endswith(old_octets):
                return name
        elif before.name == b"content-type" and may_relabel:
            if not _same_but_charset(old_value, new_value):
                return name
        elif not (before.name == b"content-transfer-encoding" and may_relabel):
            return name
    return ""


def _same_but_charset(old: bytes, new: bytes) -> bool:
    """us-ascii is the only charset that may become another one (utf-8)."""
    old_type, old_parameters = parse_parameters(old)
    new_type, new_parameters = parse_parameters(new)
    old_charset = old_parameters.get("charset", "us-ascii").lower()
    new_charset = new_parameters.get("charset", "us-ascii").lower()
    may_change = new_charset == "utf-8" and writable_charset(old_charset) == UNLABELLED
    if old_charset != new_charset and not may_change:
        return False
    return old_type == new_type and _others(old_parameters) == _others(new_parameters)


def _others(parameters: Parameters) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if name != "charset"}


def _same_outside(
    original: bytes,
    before: Tree,
    edited: bytes,
    after: Tree,
    changed: list[tuple[Node, Node]],
) -> bool:
    """All octets of the body that stand outside the edited parts are identical."""
    old_at = before.nodes[0].part.body_start
    new_at = after.nodes[0].part.body_start
    for old, new in changed:
        if old.parent < 0:
            old_at, new_at = old.part.body_end, new.part.body_end
            continue
        if original[old_at : old.part.start] != edited[new_at : new.part.start]:
            return False
        old_at, new_at = old.part.body_end, new.part.body_end
    return original[old_at:] == edited[new_at:]


def _text(raw: bytes, node: Node) -> str:
    octets, _ = decode_transfer(raw[node.part.body_start : node.part.body_end], node.part.encoding)
    return decode_charset(octets, node.part.charset)[0]


def _inserted(old: str, new: str) -> str:
    """What was put into `old` in one piece to give `new`; '' if it was not so."""
    if len(new) <= len(old):
        return ""
    same = _common_prefix(old, new)
    tail = len(old) - same
    if tail and new[-tail:] != old[same:]:
        return ""
    return new[same : len(new) - tail]


def _common_prefix(old: str, new: str) -> int:
    """Length of the common beginning, by halving: comparison of slices runs in C."""
    low, high = 0, len(old)
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
