"""Calendar and card text as a person reads it: unfolded, unescaped, without housekeeping.

A property becomes a line: its value alone where the value speaks for itself (NOTE, DESCRIPTION,
URL ...), else with a label that names the service or the kind of number (`telegram: mira_k`,
`tel whatsapp: +44 ...`). Dates, identifiers, time zones, alarms' triggers and attendees are left
out. Knows no messenger: a label is whatever the property or its parameters say.

**Standards:** RFC 5545 §3.1 (folding), §3.3.11 (escapes), RFC 6350 §3.2-3.4, RFC 2425 §5.8.2
(groups), RFC 4770 (IMPP), vCard 2.1 §2.1.3 (quoted-printable).
**Failure:** never raises; a line that is no property is kept as it is.
"""

import quopri
import re
from dataclasses import dataclass
from typing import NamedTuple

from milter.mail.finding import Source
from milter.read.decode import decode_charset
from milter.read.html_fallback import strip_tags

MAX_LINES = 5_000
_MAX_LINE_CHARS = 20_000
_MAX_LABEL_CHARS = 60

_START = re.compile(r"\ufeff?\s*BEGIN:V(CALENDAR|CARD)", re.IGNORECASE)
_PROPERTY = re.compile(
    r"((?:[A-Za-z0-9_-]++\.)?+)([A-Za-z0-9_-]++)((?:[^\":]++|\"[^\"]*+\")*+):(.*)", re.DOTALL
)
_ESCAPE = re.compile(r"\\([\\,;:nN])")
_APPLE_LABEL = re.compile(r"_\$!<(.*)>!\$_")
_SPEAKS_FOR_ITSELF = frozenset(
    {
        "CATEGORIES", "COMMENT", "CONTACT", "DESCRIPTION", "EMAIL", "FN", "LABEL", "LOCATION", "N",
        "NICKNAME", "NOTE", "ORG", "RELATED", "ROLE", "SOURCE", "SUMMARY", "TITLE", "URL",
    }
)  # fmt: skip
_HOUSEKEEPING = frozenset(
    {
        "ACTION", "ATTENDEE", "BEGIN", "BDAY", "CALSCALE", "CLASS", "COMPLETED", "CREATED", "DTEND",
        "DTSTAMP", "DTSTART", "DUE", "DURATION", "END", "EXDATE", "EXRULE", "FREEBUSY", "GEO",
        "KEY", "LAST-MODIFIED", "LOGO", "MAILER", "METHOD", "PERCENT-COMPLETE", "PHOTO", "PRIORITY",
        "PRODID", "RDATE", "RECURRENCE-ID", "REFRESH-INTERVAL", "REPEAT", "REV", "RRULE",
        "SEQUENCE", "SOUND", "STATUS", "TRANSP", "TRIGGER", "TZ", "TZID", "TZNAME", "TZOFFSETFROM",
        "TZOFFSETTO", "UID", "VERSION", "X-ABADR", "X-ABLABEL", "X-ABSHOWAS", "X-ABUID",
        "X-IMAGETYPE", "X-WR-TIMEZONE",
    }
)  # fmt: skip
_HOUSEKEEPING_STARTS = (
    "X-MICROSOFT-",
    "X-MS-OLK-",
    "X-MOZ-",
    "X-LIC-",
    "X-APPLE-",
    "X-CALENDARSERVER",
)
_CONTACT_NAMES = frozenset({"IMPP", "X-SOCIALPROFILE", "X-SOCIAL-PROFILE"})
_LABELLING = frozenset({"TYPE", "X-SERVICE-TYPE", "X-SERVICE", "SERVICE-TYPE", "LABEL", "X-LABEL"})
_DULL = frozenset(
    {
        "", "8bit", "b", "base64", "cell", "dom", "fax", "home", "internet", "intl", "main",
        "mobile", "msg", "other", "parcel", "postal", "pref", "quoted-printable", "text", "uri",
        "user", "voice", "work", "x-user",
    }
)  # fmt: skip


class _Line(NamedTuple):
    """One content line: property name in upper case, parameters, value as written."""

    group: str
    name: str
    parameters: tuple[tuple[str, str], ...]
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardText:
    """What a calendar or card says, and where it leads."""

    source: Source
    text: str
    targets: tuple[str, ...] = ()


def is_card(text: str) -> bool:
    """Does this text begin like a calendar or a card?"""
    return _START.match(text) is not None


def read_card(text: str) -> CardText:
    """The readable text of a calendar or card with LF line ends."""
    text = text.removeprefix("\ufeff")
    start = _START.match(text)
    lines = [_parsed(line[:_MAX_LINE_CHARS]) for line in _unfolded(text)]
    labels = {line.group: _clean_label(line) for line in lines if line.name == "X-ABLABEL"}
    said: list[str] = []
    targets: list[str] = []
    for line in lines:
        if line.name in ("X-ALT-DESC", "STYLED-DESCRIPTION"):
            stripped, more = strip_tags(_unescaped(line.value))
            said.append(stripped)
            targets.extend(more)
        elif spoken := _spoken(line, labels.get(line.group, "") if line.group else ""):
            said.append(spoken)
    return CardText(
        source=Source.VCARD if start and start[1].upper() == "CARD" else Source.ICS,
        text="\n".join(dict.fromkeys(said)),
        targets=tuple(targets),
    )


def _unfolded(text: str) -> list[str]:
    lines: list[list[str]] = []
    in_quoted_printable = False
    for line in text.split("\n", MAX_LINES)[:MAX_LINES]:
        if in_quoted_printable and lines:
            # Soft line breaks of vCard 2.1; some writers fold these lines, too.
            lines[-1][-1] = lines[-1][-1].removesuffix("=")
            lines[-1].append(line.lstrip(" \t"))
        elif line[:1] in (" ", "\t") and lines:
            lines[-1].append(line[1:])
        else:
            lines.append([line])
        head = lines[-1][0].upper()
        in_quoted_printable = line.endswith("=") and "QUOTED-PRINTABLE" in head.partition(":")[0]
    return ["".join(pieces) for pieces in lines]


def _parsed(line: str) -> _Line:
    match = _PROPERTY.fullmatch(line)
    if match is None:
        return _Line("", "", (), line.strip())
    parameters: list[tuple[str, str]] = []
    for piece in match[3].split(";")[1:20]:
        name, separator, value = piece.partition("=")
        # vCard 2.1 writes values without names.
        name, value = (name.upper(), value) if separator else ("TYPE", name)
        parameters.append((name.strip(), value.strip().strip('"')))
    value = match[4]
    known = dict(parameters)
    if any(value.upper() == "QUOTED-PRINTABLE" for _, value in parameters):
        octets = quopri.decodestring(value.encode("utf-8", "replace"))
        value = decode_charset(octets, known.get("CHARSET", "utf-8").lower())[0]
    return _Line(match[1].rstrip("."), match[2].upper(), tuple(parameters), value.strip())


def _spoken(line: _Line, group_label: str) -> str:
    name = line.name
    if name in _HOUSEKEEPING or name.startswith(_HOUSEKEEPING_STARTS) or not line.value:
        return ""
    # Octets of a picture or a key are no text.
    if any(value.upper() in ("B", "BASE64") for _, value in line.parameters):
        return ""
    value = _unescaped(line.value)
    if name in ("N", "ORG", "ADR", "CATEGORIES", "GENDER"):
        value = " ".join(value.replace(";", " ").split())
    if name == "ORGANIZER":
        common_name = next((text for key, text in line.parameters if key == "CN"), "")
        value = f"{common_name} {value}".strip()
    if not name or name in _SPEAKS_FOR_ITSELF:
        return f"{group_label}: {value}" if group_label else value
    label = _label(line, group_label)
    return f"{label}: {value}" if label else value


def _label(line: _Line, group_label: str) -> str:
    is_contact = line.name in _CONTACT_NAMES
    words = [] if is_contact else [line.name.lower().removeprefix("x-")]
    words += [group_label] if group_label else []
    for name, value in line.parameters:
        if name in _LABELLING:
            words += [word for word in value.lower().split(",") if word not in _DULL]
    words = [word.removeprefix("x-") for word in dict.fromkeys(words)]
    return " ".join(words)[:_MAX_LABEL_CHARS]


def _clean_label(line: _Line) -> str:
    label = _APPLE_LABEL.sub(r"\1", line.value)
    return "" if label.lower() in _DULL else label[:_MAX_LABEL_CHARS]


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda escape: "\n" if escape[1] in "nN" else escape[1], value)
