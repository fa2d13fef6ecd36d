"""The ARC seal of what we edited: the last edit of all, over everything that leaves.

By default only messages whose signatures our edits break are sealed: for the others the sender's
own DKIM signature still says more than we can, and one hop more in a chain is one more to trust.
Refuses to vouch for what nobody found: without results, or with a chain that nobody verified,
there is no seal. The seal is three new fields, so that a milter can add it, too.

**Standards:** RFC 8617 §5.1 (sealing), §5.1.2 (failed chains).
**Failure:** none; a message that cannot be sealed goes out as it is, and the outcome says why.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

from milter.act.headers import folded, results_field
from milter.act.integrity import outside_edits_identical
from milter.act.render import Rendered
from milter.authentication.arc import is_arc_field
from milter.authentication.seal import SealKey, seal
from milter.mail.edit import (
    Edit,
    EditError,
    InsertField,
    ReplaceField,
    SealOutcome,
    SpliceBody,
    apply_edits,
)
from milter.mail.message import scan_header
from milter.mail.reading import AuthResult, Reading

_RESULTS = "ARC-Authentication-Results"
_STATUS = frozenset({"none", "pass", "fail"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SealOptions:
    """Keys with the first day of their use; `seals_all`: messages that no edit has touched, too."""

    keys: tuple[tuple[date, SealKey], ...]
    seals_all: bool = False

    def key_on(self, day: date) -> SealKey | None:
        """The newest key whose day has come."""
        begun = [pair for pair in self.keys if pair[0] <= day]
        return max(begun, key=lambda pair: pair[0])[1] if begun else None


def seal_message(
    original: bytes,
    rendered: Rendered,
    *,
    options: SealOptions,
    authserv_id: str,
    reading: Reading | None,
    verified: tuple[AuthResult, ...] | None,
    received_at: datetime,
    line_end: bytes,
) -> tuple[Rendered, SealOutcome]:
    """The message with its seal, or as it was.

    `verified` are results of our own, None where the results that were believed count.
    """
    if not options.seals_all and not _breaks_signatures(rendered.edits):
        return rendered, SealOutcome.NOT_EDITED
    key = options.key_on(received_at.date())
    if key is None:
        return rendered, SealOutcome.NO_KEY
    results = verified
    if results is None:
        results = reading.auth_results if reading else ()
    header = scan_header(rendered.raw)
    has_chain = any(is_arc_field(field) for field in header.fields)
    status = _status(reading, results, has_chain=has_chain)
    if not results or not status:
        return rendered, SealOutcome.NOT_VERIFIED
    fields = seal(
        rendered.raw,
        header,
        status=status,
        results=folded(_RESULTS, results_field(authserv_id, results)[1], line_end).lstrip(),
        key=key,
        unix_time=int(received_at.timestamp()),
        line_end=line_end,
    )
    if not fields:
        return rendered, SealOutcome.CHAIN_CLOSED
    sealed = _with_fields(original, rendered, fields, line_end)
    if sealed is None:
        return rendered, SealOutcome.INTEGRITY
    is_failed = b" cv=fail;" in fields[0][1]  # also where the fields contradict the claim
    return sealed, SealOutcome.SEALED_AS_FAILED if is_failed else SealOutcome.SEALED


def _breaks_signatures(edits: tuple[Edit, ...]) -> bool:
    """A banner, or a tag in the subject: what a DKIM signature is likely to cover."""
    return any(isinstance(edit, SpliceBody | ReplaceField) for edit in edits)


def _status(reading: Reading | None, results: tuple[AuthResult, ...], *, has_chain: bool) -> str:
    """What the chain was when it came, '' where nobody found out."""
    if not has_chain:
        return "none"
    if reading is not None and reading.arc is not None:
        found = reading.arc.result
    else:
        found = next((one.result for one in results if one.method == "arc"), "")
    return found if found in _STATUS else ""


def _with_fields(
    original: bytes,
    rendered: Rendered,
    fields: tuple[tuple[bytes, bytes], ...],
    line_end: bytes,
) -> Rendered | None:
    """The fields on top of all others, as edits; None if the proof fails (design rule 7)."""
    start = original.find(b"\n") + 1 if original.startswith((b"From ", b">From ")) else 0
    seals = [
        InsertField(index=index, start=start, name=name, value=value, line_end=line_end)
        for index, (name, value) in enumerate(fields)
    ]
    moved = [
        replace(edit, index=edit.index + len(seals))
        if isinstance(edit, InsertField) and edit.start == start
        else edit
        for edit in rendered.edits
    ]
    edits: tuple[Edit, ...] = (*seals, *moved)
    try:
        raw = apply_edits(original, edits)
    except EditError:
        return None
    if not outside_edits_identical(original, raw, edits):
        return None
    return replace(rendered, raw=raw, edits=edits)
