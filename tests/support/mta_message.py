"""A message as an MTA keeps it for a filter, and the edits of a filter applied as MTAs do.

Header fields are octets as they came. The filter sees none of `own`, the trace fields that the MTA
puts on top. Insertion counts from 0, where 0 is above all, the MTA's own fields too, and what was
inserted there counts for the next insertion; occurrences of a name count from 1, whatever its case,
inserted ones too. In what libmilter's documentation leaves open the two MTAs differ, as real ones
showed (tests/integration/test_mta_peer.py compares them with this file):

- a deleted field still counts in Sendmail, and a change brings it back; in Postfix it is gone;
- a change beyond the last is put at the end by Postfix, somewhere by Sendmail;
- a changed field keeps its own spelling of the name in Sendmail, and gets the filter's in Postfix;
- an insertion below what the filter put on top has a place in Postfix only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Manner = Literal["postfix", "sendmail"]
_FIELD_NAME = re.compile(rb"[!-9;-~]+")
_HEADER = re.compile(rb"([!-9;-~]+)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)\n")


class Broken(AssertionError):
    """The filter did what the protocol forbids; an MTA would do something undefined."""


@dataclass(slots=True)
class HeaderField:
    """A name and all that follows the colon, with bare LF at folds and none at the end."""

    name: bytes
    rest: bytes
    deleted: bool = False

    def octets(self) -> bytes:
        if self.deleted:
            return b""
        return self.name + b":" + self.rest.replace(b"\n", b"\r\n") + b"\r\n"


@dataclass(slots=True)
class MtaMessage:
    """Header fields and body; `leading_space` as negotiated says who writes the first space."""

    fields: list[HeaderField]
    body: bytes
    own: tuple[bytes, ...] = ()
    leading_space: bool = True
    manner: Manner = "postfix"
    added_on_top: list[HeaderField] = field(default_factory=list)

    @classmethod
    def of(
        cls, raw: bytes, *, own: Sequence[bytes] = (), leading_space: bool = True,
        manner: Manner = "postfix",
    ) -> "MtaMessage":  # fmt: skip
        """Take a message with CRLF apart; a header that is none ends the header, as in Sendmail."""
        unix = raw.replace(b"\r\n", b"\n")
        fields, position = [], 0
        while match := _HEADER.match(unix, position):
            fields.append(HeaderField(match[1], match[2]))
            position = match.end()
        if unix[position : position + 1] == b"\n":
            position += 1
        body = unix[position:].replace(b"\n", b"\r\n")
        return cls(
            fields=fields, body=body, own=tuple(own), leading_space=leading_space, manner=manner
        )

    def raw(self) -> bytes:
        """The message as it leaves the MTA."""
        top = b"".join(one.octets() for one in self.added_on_top)
        header = b"".join(one.octets() for one in self.fields)
        return top + b"".join(self.own) + header + b"\r\n" + self.body

    def shown(self, value: bytes) -> bytes:
        """What of a field the filter is sent: all after the colon, or without the first space."""
        if self.leading_space:
            return value
        return value[1:] if value[:1] in (b" ", b"\t") else value

    def values(self, name: bytes) -> list[bytes]:
        return [one.rest for one in self._named(name) if not one.deleted]

    def _named(self, name: bytes) -> list[HeaderField]:
        fields = (*self.added_on_top, *self.fields)
        return [one for one in fields if one.name.lower() == name.lower()]

    def _field(self, name: bytes, value: bytes) -> HeaderField:
        if not _FIELD_NAME.fullmatch(name):
            raise Broken(f"{name!r} is no name of a header field")
        if b"\0" in value or b"\r" in value:
            raise Broken(f"NUL or CR in a header value, which folds with bare LF: {value!r}")
        if value.endswith(b"\n") or re.search(rb"\n(?![ \t])", value):
            raise Broken(f"a fold without white space ends the field or the header: {value!r}")
        return HeaderField(name, value if self.leading_space else b" " + value)

    def add(self, name: bytes, value: bytes) -> None:
        self.fields.append(self._field(name, value))

    def insert(self, index: int, name: bytes, value: bytes) -> None:
        made = self._field(name, value)
        if index == 0:
            self.added_on_top.insert(0, made)
        elif index <= len(self.added_on_top):
            self.added_on_top.insert(index, made)
        elif self.manner == "sendmail":
            raise Broken(f"nobody knows where Sendmail puts a field with index {index}")
        else:
            above = max(index - len(self.added_on_top) - len(self.own), 0)
            left = [place for place, one in enumerate(self.fields) if not one.deleted]
            self.fields.insert(left[above] if above < len(left) else len(self.fields), made)

    def change(self, occurrence: int, name: bytes, value: bytes) -> None:
        """Change the n-th of a name; empty deletes; beyond the last appends (or does nothing)."""
        counted = [one for one in self._named(name) if self.manner == "sendmail" or not one.deleted]
        wanted = max(occurrence, 1)
        if wanted > len(counted):
            if value:
                self.add(name, value)
            return
        found = counted[wanted - 1]
        if value:
            made = self._field(name, value)
            found.rest = made.rest
            found.name = found.name if self.manner == "sendmail" else name
        found.deleted = not value
