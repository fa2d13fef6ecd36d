"""One change to a message, as a value: the same edits render as bytes or as milter commands.

Every edit knows its place in the original octets (`splice`) and, where it concerns a field of the
message's own header, the words of the milter protocol: index, name, occurrence, value. Each keeps
the octets it takes away, so that it applies only to the message it was made for and can be undone.
Refuses to judge whether an edit is wise: `act` does.

**Standards:** RFC 5322 §2.2 (field, value); occurrences count per name from 1, top first.
**Failure:** `EditError` where edits overlap or meet other octets than they expect: our own bug,
the caller sends the original.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class EditError(ValueError):
    """The edits do not fit the octets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Splice:
    """At `start`, `octets` stand in the place of `removed`."""

    start: int
    removed: bytes = b""
    octets: bytes = b""

    @property
    def end(self) -> int:
        """Offset after the removed octets, in the original."""
        return self.start + len(self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertField:
    """A new field before field number `index` (0 is the top), at offset `start`.

    `value` is what follows the colon, leading space and folds included, without final line end.
    """

    index: int
    start: int
    name: bytes
    value: bytes
    line_end: bytes = b"\r\n"

    @property
    def splice(self) -> Splice:
        return Splice(start=self.start, octets=self.name + b":" + self.value + self.line_end)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveField:
    """The `occurrence`-th field of that name goes; `removed` is the whole of it."""

    name: bytes
    occurrence: int
    start: int
    removed: bytes

    @property
    def splice(self) -> Splice:
        return Splice(start=self.start, removed=self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceField:
    """The `occurrence`-th field of that name gets another value.

    `start` is the offset after the colon; `removed` and `value` run to before the final line end.
    """

    name: bytes
    occurrence: int
    start: int
    removed: bytes
    value: bytes

    @property
    def splice(self) -> Splice:
        return Splice(start=self.start, removed=self.removed, octets=self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpliceBody:
    """A change after the message's own header: in a part's body or in the header of a part."""

    part: str
    start: int
    removed: bytes
    octets: bytes

    @property
    def splice(self) -> Splice:
        return Splice(start=self.start, removed=self.removed, octets=self.octets)


Edit = InsertField | RemoveField | ReplaceField | SpliceBody


def apply_edits(raw: bytes, edits: Sequence[Edit]) -> bytes:
    """The message with all edits made; edits stand in the order of their offsets."""
    whole = memoryview(raw)
    pieces: list[bytes | memoryview] = []
    position = 0
    for edit in edits:
        splice = edit.splice
        if splice.start < position or not raw.startswith(splice.removed, splice.start):
            raise EditError(f"edit at {splice.start} does not fit")
        pieces += (whole[position : splice.start], splice.octets)
        position = splice.end
    if position > len(raw):
        raise EditError(f"edit at {position} lies behind the end")
    pieces.append(whole[position:])
    return b"".join(pieces)


def remove_edits(rendered: bytes, edits: Sequence[Edit]) -> bytes:
    """The message as it was before `edits`, from nothing but the edited octets and the edits."""
    whole = memoryview(rendered)
    pieces: list[bytes | memoryview] = []
    position = shift = 0
    for edit in edits:
        splice = edit.splice
        start = splice.start + shift
        if start < position or not rendered.startswith(splice.octets, start):
            raise EditError(f"edit at {splice.start} is not there")
        pieces += (whole[position:start], splice.removed)
        position = start + len(splice.octets)
        shift += len(splice.octets) - len(splice.removed)
    if position > len(rendered):
        raise EditError(f"edit at {position} lies behind the end")
    pieces.append(whole[position:])
    return b"".join(pieces)


class BannerOutcome(StrEnum):
    """What became of the banner, for a part or for the message; the words are metric labels."""

    INSERTED = "inserted"
    RELABELLED = "relabelled"
    REENCODED = "reencoded"
    FALLBACK_TEXT = "fallback_text"
    ALREADY_THERE = "already_there"
    NOT_WANTED = "not_wanted"
    NOT_EXAMINED = "not_examined"
    SIGNED = "signed"
    ENCRYPTED = "encrypted"
    INLINE_PGP = "inline_pgp"
    MALFORMED = "malformed"
    NO_SITE = "no_site"
    SITE_DOUBTFUL = "site_doubtful"
    CHARSET = "charset"
    BAD_ENCODING = "bad_encoding"
    TOO_LARGE = "too_large"
    INTEGRITY = "integrity"

    @property
    def is_edit(self) -> bool:
        """True where octets of the part change."""
        return self in _EDITS


_EDITS = frozenset(
    {
        BannerOutcome.INSERTED,
        BannerOutcome.RELABELLED,
        BannerOutcome.REENCODED,
        BannerOutcome.FALLBACK_TEXT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOutcome:
    """What became of the banner in one part; `kind` is text or html."""

    part: str
    kind: str
    outcome: BannerOutcome


class SealOutcome(StrEnum):
    """What became of the ARC seal on a message that leaves; the words are metric labels."""

    SEALED = "sealed"
    SEALED_AS_FAILED = "sealed_as_failed"
    NOT_WANTED = "not_wanted"
    NOT_EDITED = "not_edited"
    NO_KEY = "no_key"
    NOT_VERIFIED = "not_verified"
    CHAIN_CLOSED = "chain_closed"
    INTEGRITY = "integrity"
