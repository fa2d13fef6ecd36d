"""What the standard library's old parser says of an edited message: an oracle that is not ours."""

import hashlib
from email import message_from_bytes
from email.message import Message
from email.policy import compat32


def leaves(raw: bytes) -> list[Message]:
    """All parts that hold content, embedded messages' too."""
    whole = message_from_bytes(raw, policy=compat32)
    return [part for part in whole.walk() if not part.is_multipart()]


def payload(part: Message) -> bytes:
    """The octets of a part without transfer encoding."""
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets


def inserted(old: bytes, new: bytes) -> bytes | None:
    """What one insertion put into `old` to give `new`; None if it was anything else."""
    grown = len(new) - len(old)
    same = 0
    step = 1 << max(len(old).bit_length(), 1)
    while step:
        if same + step <= len(old) and old[: same + step] == new[: same + step]:
            same += step
        step >>= 1
    return new[same : same + grown] if grown >= 0 and new[same + grown :] == old[same:] else None


def compare(before: bytes, after: bytes) -> list[tuple[Message, Message]]:
    """The parts that changed, by one insertion each; fails where anything else has happened."""
    old_leaves, new_leaves = leaves(before), leaves(after)
    assert len(old_leaves) == len(new_leaves), "number of parts"
    changed: list[tuple[Message, Message]] = []
    for old, new in zip(old_leaves, new_leaves, strict=True):
        assert old.get_content_type() == new.get_content_type()
        assert old.get_filename() == new.get_filename()
        old_octets, new_octets = payload(old), payload(new)
        if hashlib.sha256(old_octets).digest() == hashlib.sha256(new_octets).digest():
            continue
        assert inserted(old_octets, new_octets), "more than an insertion"
        assert old.get_content_disposition() != "attachment"
        changed.append((old, new))
    return changed
