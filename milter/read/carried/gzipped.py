"""What gzip packed: one file, which may be an archive itself.

**Standards:** RFC 1952 (members, file name), RFC 1951.
**Failure:** never raises because of content; what is broken or too large is read as far as it
goes, and a miss of the carrier; what is packed beyond all proportion is not read.
"""

import re
import zlib

from milter.read.carried.carrier import Carrier
from milter.read.carried.zip_file import CHUNK_OCTETS, MAX_FILE_OCTETS, is_bomb

_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31
_MAX_MEMBERS = 100
_HAS_EXTRA, _HAS_NAME = 4, 8
_HEADER_OCTETS = 10
_ENDING = re.compile(r"\.(?:gz|(t)gz|(t)az|gzip)$", re.IGNORECASE)


def read_gzip(octets: bytes, carrier: Carrier) -> None:
    """Tell the carrier what a packed file says."""
    inside = _kept_name(octets)
    carrier.file_name(inside)
    # What programs call the file when they have unpacked it.
    name = _ENDING.sub(lambda found: ".tar" if found[1] or found[2] else "", carrier.filename)
    if name == carrier.filename:
        name = inside
    if content := _unpacked(octets, carrier):
        carrier.inner(content, "", name)


def _unpacked(octets: bytes, carrier: Carrier) -> bytes:
    out = bytearray()
    rest = octets
    for _ in range(_MAX_MEMBERS):
        member = zlib.decompressobj(_GZIP_WINDOW)
        while not member.eof:
            try:
                piece = member.decompress(rest, CHUNK_OCTETS)
            except zlib.error:
                carrier.miss()
                return bytes(out)
            out += piece
            carrier.budget.octets -= len(piece)
            rest = member.unconsumed_tail
            if is_bomb(len(out), len(octets) - len(rest)):
                carrier.miss()
                return b""
            is_cut_off = not rest and not piece and not member.eof
            if is_cut_off or not _may_go_on(len(out), carrier):
                carrier.miss()
                return bytes(out[:MAX_FILE_OCTETS])
        rest = member.unused_data
        # Programs ignore whatever else follows.
        if not rest.startswith(_MAGIC):
            return bytes(out)
    carrier.miss()
    return bytes(out)


def _may_go_on(unpacked: int, carrier: Carrier) -> bool:
    budget = carrier.budget
    return unpacked <= MAX_FILE_OCTETS and budget.octets >= 0 and budget.has_time()


def _kept_name(octets: bytes) -> str:
    """The name that the file had before it was packed, if it was kept."""
    flags = octets[3:4]
    if not flags or not flags[0] & _HAS_NAME:
        return ""
    at = _HEADER_OCTETS
    if flags[0] & _HAS_EXTRA:
        at += 2 + int.from_bytes(octets[at : at + 2], "little")
    end = octets.find(b"\0", at, at + 1_000)
    return octets[at:end].decode("latin-1") if end > at else ""
