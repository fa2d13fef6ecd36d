"""Strings of binary Excel files, which may go on in the records that continue theirs.

**Standards:** MS-XLS §2.5 (XLUnicodeRichExtendedString, XLUnicodeString, ShortXLUnicodeString),
§2.4 (Continue).
**Failure:** `Cut` where the records end before the string does.
"""

_IS_WIDE, _HAS_MORE, _HAS_RUNS = 0x1, 0x4, 0x8
_RUN_OCTETS = 4


class Cut(ValueError):
    """The octets end too early."""


class Octets:
    """The content of a record and of those that continue it, taken from its start on."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self._number = 0
        self._at = 0

    def take(self, count: int) -> bytes:
        """So many octets."""
        taken = self._here(count)
        while len(taken) < count:
            self._next()
            taken += self._here(count - len(taken))
        return taken

    def number(self, octets: int) -> int:
        """A number of so many octets."""
        return int.from_bytes(self.take(octets), "little")

    def wide(self, chars: int) -> str:
        """So many characters of two octets each."""
        return self.take(2 * chars).decode("utf-16-le", "replace")

    def string(self, chars: int) -> str:
        """A string of so many characters, from its flags on."""
        flags = self.number(1)
        runs = self.number(2) if flags & _HAS_RUNS else 0
        more = self.number(4) if flags & _HAS_MORE else 0
        text = self._characters(chars, flags)
        self.take(runs * _RUN_OCTETS)
        self.take(more)
        return text

    def _characters(self, chars: int, flags: int) -> str:
        # In UTF-16, which is what the count is about: pairs may be cut, too.
        taken = b""
        while True:
            width = 2 if flags & _IS_WIDE else 1
            octets = self._here((chars - len(taken) // 2) * width)
            if width == 1:
                octets = octets.decode("latin-1").encode("utf-16-le")
            taken += octets[: len(octets) // 2 * 2]
            if len(taken) >= 2 * chars:
                return taken.decode("utf-16-le", "replace")
            self._next()
            flags = self.number(1)

    def _here(self, count: int) -> bytes:
        octets = self._pieces[self._number][self._at : self._at + count]
        self._at += len(octets)
        return octets

    def _next(self) -> None:
        if self._number + 1 >= len(self._pieces):
            raise Cut
        self._number += 1
        self._at = 0
