"""The entrance: one attachment in, what it says out.

Finds the format, asks the module that reads it, and keeps to the budget of the message and to the
depth that files may stand in files. A format that no module reads is a miss.

**Standards:** none of its own; see the modules.
**Failure:** never raises because of content.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from milter.mail.finding import Source
from milter.read.carried.archive import read_zip
from milter.read.carried.budget import MAX_DEPTH, Budget
from milter.read.carried.carrier import Carried, Carrier
from milter.read.carried.gzipped import read_gzip
from milter.read.carried.images import read_image
from milter.read.carried.kinds import HEAD_OCTETS, Kind, kind_of
from milter.read.carried.message import read_message_file
from milter.read.carried.old_office import read_compound
from milter.read.carried.pdf import read_pdf
from milter.read.carried.rtf import read_rtf
from milter.read.carried.tar import read_tar
from milter.read.carried.text_file import read_card_file, read_html_file, read_text_file
from milter.read.carried.tnef import read_tnef

_READERS: dict[Kind, Callable[[bytes, Carrier], None]] = {
    Kind.IMAGE: read_image,
    Kind.PDF: read_pdf,
    Kind.PACKAGE: read_zip,
    Kind.COMPOUND: read_compound,
    Kind.TAR: read_tar,
    Kind.GZIP: read_gzip,
    Kind.RTF: read_rtf,
    Kind.TNEF: read_tnef,
    Kind.CARD: read_card_file,
    Kind.MESSAGE: read_message_file,
    Kind.HTML: read_html_file,
    Kind.TEXT: read_text_file,
}


class File(NamedTuple):
    """Octets with the type and the name that they are declared to have, if any."""

    octets: bytes
    media_type: str = ""
    filename: str = ""


def read_carried(
    files: Iterable[File],
    *,
    part: str,
    source: Source,
    budget: Budget,
    banner_key: bytes = b"",
) -> Carried:
    """What the files at `part` say together; their plain text counts as `source`."""
    carrier = Carrier(
        part=part, source=source, budget=budget, banner_key=banner_key, open_inner=_read
    )
    for file in files:
        _read(carrier, *file)
    return carrier.result()


def _read(carrier: Carrier, octets: bytes, media_type: str, filename: str) -> None:
    kind = kind_of(octets[:HEAD_OCTETS], media_type, filename)
    if kind is None or carrier.depth >= MAX_DEPTH or not carrier.budget.take_part(len(octets)):
        carrier.miss()
        return
    carrier.depth += 1
    outer, carrier.filename = carrier.filename, filename
    try:
        _READERS[kind](octets, carrier)
    except Exception:  # one file that breaks its reader must not cost the others theirs
        carrier.miss()
    finally:
        carrier.depth -= 1
        carrier.filename = outer
