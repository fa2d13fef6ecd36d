"""A mail that Outlook saved as a file (.msg): its subject, text and what it carries itself.

**Standards:** MS-OXMSG §2.1-2.2 (streams and storages), MS-OXPROPS (properties).
**Failure:** never raises because of content; what cannot be followed is a miss of the carrier.
"""

from milter.read.carried.carrier import Carrier
from milter.read.carried.compound import Folder
from milter.read.carried.compressed_rtf import decompressed
from milter.read.decode import decode_charset

STREAM = "__properties_version1.0"
_MAX_ATTACHMENTS = 100
_ATTACHMENT = "__attach_version1.0_"
_UNICODE, _OCTETS, _BINARY, _OBJECT = "001f", "001e", "0102", "000d"
_SUBJECT, _TEXT, _RTF, _HTML = "0037", "1000", "1009", "1013"
_DATA, _LONG_NAME, _NAME, _MEDIA_TYPE = "3701", "3707", "3704", "370e"


def read_item(folder: Folder, carrier: Carrier) -> None:
    """Tell the carrier what an item says."""
    carrier.say(_string(folder, _SUBJECT))
    carrier.say(_string(folder, _TEXT))
    if html := _value(folder, _HTML, _BINARY) or _string(folder, _HTML).encode():
        carrier.inner(html, "text/html", "")
    if packed := _value(folder, _RTF, _BINARY):
        try:
            carrier.inner(decompressed(packed), "text/rtf", "")
        except ValueError:
            carrier.miss()
    attachments = sorted(name for name in folder.folders if name.startswith(_ATTACHMENT))
    if len(attachments) > _MAX_ATTACHMENTS:
        carrier.miss()
    for name in attachments[:_MAX_ATTACHMENTS]:
        _read_attachment(folder.folders[name], carrier)


def _read_attachment(folder: Folder, carrier: Carrier) -> None:
    """A file; an item within this one is a folder, which whoever reads folders comes to."""
    name = _string(folder, _LONG_NAME) or _string(folder, _NAME)
    carrier.file_name(name)
    if octets := _value(folder, _DATA, _BINARY):
        carrier.inner(octets, _string(folder, _MEDIA_TYPE).lower(), name)


def _value(folder: Folder, name: str, kind: str) -> bytes:
    return folder.stream(f"__substg1.0_{name}{kind}")


def _string(folder: Folder, name: str) -> str:
    if octets := _value(folder, name, _UNICODE):
        return octets.decode("utf-16-le", "replace").rstrip("\0")
    return decode_charset(_value(folder, name, _OCTETS), "")[0].rstrip("\0")
