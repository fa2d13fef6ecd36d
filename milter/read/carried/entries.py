"""The files in an archive of whatever kind: named, told apart by a peek, the cheap ones read first.

A crowd of pictures costs no document its reading, and what no module reads is not unpacked. What
macOS puts beside each file for itself alone is passed over: nobody is shown it.

**Standards:** RFC 1740 (AppleDouble).
**Failure:** never raises because of content; what is left out is a miss of the carrier.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from milter.read.carried.carrier import Carrier
from milter.read.carried.kinds import DEAR, HEAD_OCTETS, kind_of
from milter.read.carried.zip_file import MAX_FILE_OCTETS

MAX_ENTRIES = 300
_APPLE_DOUBLE = b"\x00\x05\x16\x07"
_FINDER = b"\x00\x00\x00\x01Bud1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: `content` gives its octets if they are no more than asked, `head` the first."""

    name: str
    size: int
    head: Callable[[], bytes]
    content: Callable[[int], bytes]


def read_entries(entries: Iterable[Entry], carrier: Carrier) -> None:
    """Tell the carrier the names of the files, and what they say."""
    known: list[tuple[bool, int, int, Entry]] = []
    for number, entry in enumerate(entries):
        if number >= MAX_ENTRIES or not carrier.budget.has_time():
            carrier.miss()
            break
        carrier.file_name(entry.name)
        if not entry.size:
            continue
        head = entry.head()[:HEAD_OCTETS]
        kind = kind_of(head, "", entry.name)
        if kind is not None:
            known.append((kind in DEAR, entry.size, number, entry))
        elif not head.startswith((_APPLE_DOUBLE, _FINDER)):
            carrier.miss()
    for _, _, _, entry in sorted(known, key=lambda row: row[:3]):
        if carrier.budget.parts <= 0 or not carrier.budget.has_time():
            carrier.miss()
            return
        if octets := entry.content(MAX_FILE_OCTETS):
            carrier.inner(octets, "", entry.name)
