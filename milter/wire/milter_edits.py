"""A handback as packets: edits in the order and the counting of the milter protocol.

An MTA counts the fields of a name from 1, top first, and may or may not count one that was just
deleted. So changes and deletions go from the lowest occurrence up, and new fields come last, each
on top of the one before. A change in a part's body sends the whole new body.

Standards: protocol version 6 (`smfi_chgheader`, `smfi_insheader`, `smfi_replacebody`); field
values have a line feed at each fold.
Failure: MilterProtocolError for a NUL in a field, which no MTA could have given us.
"""

from collections.abc import Iterator, Mapping, Sequence

from milter.mail.edit import Edit, InsertField, RemoveField, ReplaceField, SpliceBody
from milter.mail.envelope import Recipient
from milter.mail.handback import Handback
from milter.wire.milter_codec import MAX_CHUNK_BYTES, Answer, indexed, packet, strings


def modifications(
    handback: Handback, words: Mapping[Recipient, Sequence[bytes]], *, keeps_space: bool
) -> Iterator[bytes]:
    """The packets before the final answer; `words` are all in which the MTA named recipients,
    `keeps_space` says that values begin with the space after the colon.
    """
    yield from _field_changes(handback.edits, keeps_space)
    yield from _new_fields(handback.edits, keeps_space)
    for recipient in handback.removed:
        named = words.get(recipient, [b"<" + recipient.path.raw + b">"])
        for address in dict.fromkeys(named):
            yield packet(Answer.DELETE_RECIPIENT, strings(address))
    if any(isinstance(edit, SpliceBody) for edit in handback.edits):
        body = memoryview(handback.raw)[_body_start(handback.raw) :]
        for start in range(0, len(body), MAX_CHUNK_BYTES):
            yield packet(Answer.REPLACE_BODY, bytes(body[start : start + MAX_CHUNK_BYTES]))
    if handback.hold_reason:
        yield packet(Answer.QUARANTINE, strings(handback.hold_reason.encode("ascii", "replace")))


def _field_changes(edits: tuple[Edit, ...], keeps_space: bool) -> Iterator[bytes]:
    changes = [edit for edit in edits if isinstance(edit, RemoveField | ReplaceField)]
    for edit in sorted(changes, key=lambda change: change.occurrence, reverse=True):
        # An empty value deletes.
        value = b"" if isinstance(edit, RemoveField) else _value(edit.value, keeps_space)
        yield packet(Answer.CHANGE_FIELD, indexed(edit.occurrence, edit.name, value))


def _new_fields(edits: tuple[Edit, ...], keeps_space: bool) -> Iterator[bytes]:
    """Fields for the top, the last of them first; those for another place keep their place.

    Only a field that the header lacked altogether (a label for a part) is put elsewhere than on
    top: it goes to the end of the header, where its place means nothing.
    """
    inserts = [edit for edit in edits if isinstance(edit, InsertField)]
    on_top = [
        edit
        for number, edit in enumerate(inserts)
        if edit.index == number and edit.start == inserts[0].start
    ]
    for edit in reversed(on_top):
        value = _value(edit.value, keeps_space)
        yield packet(Answer.INSERT_FIELD, indexed(0, edit.name, value))
    for edit in inserts[len(on_top) :]:
        yield packet(Answer.ADD_FIELD, strings(edit.name, _value(edit.value, keeps_space)))


def _value(value: bytes, keeps_space: bool) -> bytes:
    value = value.replace(b"\r\n", b"\n")
    return value if keeps_space else value.removeprefix(b" ")


def _body_start(raw: bytes) -> int:
    if raw.startswith(b"\r\n"):
        return 2
    end = raw.find(b"\r\n\r\n")
    return len(raw) if end < 0 else end + 4
