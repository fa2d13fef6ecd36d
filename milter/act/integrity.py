"""Proof that nothing changed outside our edits, by comparing octets; the first of two proofs.

The second is a reader's independent scan of the edited message (`read.integrity`). This one trusts
neither the code that made the edits nor the one that applied them: it only asks whether original
and edited message are equal in every span that no edit names.

**Failure:** False; the caller sends the message with header edits only, and counts.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from milter.mail.edit import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Untouched:
    """A span of the original that no edit names, with its SHA-256 in hexadecimal.

    `edited_start` is where it begins in the edited message, so that whoever has that one can check.
    """

    start: int
    end: int
    edited_start: int
    sha256: str


def untouched_spans(original: bytes, edits: Sequence[Edit]) -> tuple[Untouched, ...]:
    """Every span between the edits, empty ones left out."""
    whole = memoryview(original)
    return tuple(
        Untouched(
            start=start,
            end=end,
            edited_start=edited_start,
            sha256=hashlib.sha256(whole[start:end]).hexdigest(),
        )
        for start, end, edited_start in _spans(original, edits)
        if start < end
    )


def outside_edits_identical(original: bytes, edited: bytes, edits: Sequence[Edit]) -> bool:
    """True if the edited message is the original in all spans that no edit names."""
    length = 0
    for start, end, edited_start in _spans(original, edits):
        if start > end or edited_start < 0:
            return False
        length = edited_start + end - start
        if not edited.startswith(original[start:end], edited_start):
            return False
    return length == len(edited)


def _spans(original: bytes, edits: Sequence[Edit]) -> Iterator[tuple[int, int, int]]:
    """Start and end in the original, start in the edited message, for every span between edits."""
    position = shift = 0
    for edit in edits:
        splice = edit.splice
        yield position, splice.start, position + shift
        position = splice.end
        shift += len(splice.octets) - len(splice.removed)
    yield position, len(original), position + shift
