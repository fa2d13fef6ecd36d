"""Line ends, dots and replies of SMTP, on bytes only.

`ContentReader` finds the one true end of data, undoes dot-stuffing and says what is wrong with the
line ends; `format_reply` makes a reply safe to write. Which reply a problem gets, and who may
normalise, is the listener's decision; `line_ends.dot_stuff` is for the way out.

Standards: RFC 5321 §2.3.8 (only CRLF ends a line), §4.1.1.4 (only CRLF.CRLF ends the data), §4.5.2
(transparency), §4.2 (replies).
Failure: nothing raises because of content; a problem is reported only once the true end has come,
so that no octet of a message is ever taken for a command.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from milter.mail.reply import Reply
from milter.wire.line_ends import LineScan, scan_lines, without_octets

_CRLF = b"\r\n"
_DOT = ord(".")
_END_OF_DATA = b"\r\n.\r\n"
# The proper prefixes of the end of data, longest first: what may be its start is held back.
_PREFIXES = tuple(_END_OF_DATA[:length] for length in range(4, 0, -1))
# A server behind us that drops NULs on input would read such a line as the end of data.
_NUL_DOT_LINE = re.compile(rb"\n\0+\.\0*(?=\r\n)")
# CR and LF would end our reply early; NUL is refused by many clients.
_UNSAFE_IN_REPLY = bytes.maketrans(b"\r\n\0", b"   ")


class ContentProblem(StrEnum):
    """What is wrong with the content of a DATA command, gravest first."""

    DISCARDED = "discarded"
    TOO_LARGE = "too_large"
    BARE_CR = "bare_cr"
    BARE_LF = "bare_lf"
    LINE_TOO_LONG = "line_too_long"
    NUL_DOT = "nul_dot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What came up to the end of data: dot-stuffing undone, every line ended by CRLF.

    `raw` is empty where there is a `problem`. `size_bytes` counts what was discarded as well.
    """

    raw: bytes
    size_bytes: int
    problem: ContentProblem | None = None


class ContentReader:
    """Octets after the 354 in any chunks, one `Content` out.

    With `normalise` a bare CR or LF becomes CRLF instead of a problem. That cannot make an end of
    data: `line_ends.dot_stuff` doubles the dot of every line on the way out.
    """

    def __init__(self, *, max_bytes: int, max_line_bytes: int, normalise: bool) -> None:
        self._max_bytes = max_bytes
        self._max_line_bytes = max_line_bytes
        self._normalise = normalise
        # Data begins at the start of a line: as if a CRLF went before (RFC 5321 §4.1.1.4).
        self._held_back = _CRLF
        self._skip = len(_CRLF)
        self._blocks: list[bytes] = []
        self._size = 0
        self._line_bytes = 0
        self._nul_seen = False
        self._problems: set[ContentProblem] = set()
        self._ended = False

    @property
    def kept_bytes(self) -> int:
        """Octets held in memory."""
        return 0 if self._problems else self._size

    def discard(self) -> None:
        """Keep nothing more, but read on to the true end."""
        self._problems.add(ContentProblem.DISCARDED)
        self._blocks.clear()

    def feed(self, chunk: bytes) -> bytes | None:
        """None while the end has not come; then the octets behind it, which are commands."""
        if self._skip and self._held_back == _CRLF and chunk and chunk[0] != _DOT:
            # The first octets of all, and only a dot would need to know that it begins a line.
            self._held_back = b""
            self._skip = 0
        # Copying a large chunk costs more than all that is looked for in it.
        data = self._held_back + chunk if self._held_back else chunk
        end = data.find(_END_OF_DATA)
        if end >= 0:
            self._take(data[: end + len(_CRLF)])
            self._ended = True
            return data[end + len(_END_OF_DATA) :]
        self._held_back = next((prefix for prefix in _PREFIXES if data.endswith(prefix)), b"")
        self._take(data[: len(data) - len(self._held_back)])
        return None

    def content(self) -> Content:
        """The content, once; only after `feed` has found the end."""
        if not self._ended:
            raise RuntimeError("the end of data has not come")
        raw = b"".join(self._blocks)
        self._blocks.clear()
        if self._nul_seen:
            raw = self._without_nul_dots(raw)
        problem = next((p for p in ContentProblem if p in self._problems), None)
        return Content(raw=b"" if problem else raw, size_bytes=self._size, problem=problem)

    def _take(self, block: bytes) -> None:
        """Account for a block; no CRLF and no stuffed dot is ever cut in two by a block's end."""
        lines = scan_lines(block)
        block = without_octets(block, lines.dots)
        if self._skip and block:
            block = block[self._skip :]
            self._skip = 0
        if not block:
            return
        bare = _bare_line_ends(lines)
        if bare and self._normalise:
            block = _normalised(block)
            lines = scan_lines(block)
        else:
            self._problems |= bare
        self._size += len(block)
        if self._size > self._max_bytes:
            self._problems.add(ContentProblem.TOO_LARGE)
        if not self._problems:
            self._measure_lines(lines)
        if self._problems:
            self._blocks.clear()
            return
        self._nul_seen = self._nul_seen or b"\0" in block
        self._blocks.append(block)

    def _measure_lines(self, lines: LineScan) -> None:
        """Find an over-long line; the last of a block may go on in the next."""
        if lines.first is None:
            self._line_bytes += lines.last
        else:
            longest = max(self._line_bytes + lines.first, lines.longest)
            self._line_bytes = lines.last
            if longest > self._max_line_bytes:
                self._problems.add(ContentProblem.LINE_TOO_LONG)
        if self._line_bytes > self._max_line_bytes:
            self._problems.add(ContentProblem.LINE_TOO_LONG)

    def _without_nul_dots(self, raw: bytes) -> bytes:
        if not _NUL_DOT_LINE.search(b"\n" + raw):
            return raw
        if not self._normalise:
            self._problems.add(ContentProblem.NUL_DOT)
            return raw
        # Every NUL goes: the lone dot stands bare then, and `dot_stuff` doubles it.
        return raw.replace(b"\0", b"")


def format_reply(reply: Reply) -> bytes:
    """The reply as octets, its last line included; the next hop's text is passed on as it is.

    CR, LF and NUL inside a line become spaces: a reply never has a line that its author did not
    write. `own_reply` sees to the length of ours (RFC 5321 §4.5.3.1.5).
    """
    *first, last = [line.translate(_UNSAFE_IN_REPLY) for line in reply.lines] or [b""]
    code = b"%d" % reply.code
    lines = [code + b"-" + line for line in first]
    return _CRLF.join([*lines, (code + b" " + last), b""])


def _bare_line_ends(lines: LineScan) -> set[ContentProblem]:
    bare = set()
    if lines.has_bare_cr:
        bare.add(ContentProblem.BARE_CR)
    if lines.has_bare_lf:
        bare.add(ContentProblem.BARE_LF)
    return bare


def _normalised(block: bytes) -> bytes:
    """Every line end as CRLF: CRLF counts once, CR CR LF is a bare CR and a CRLF."""
    return block.replace(_CRLF, b"\n").replace(b"\r", b"\n").replace(b"\n", _CRLF)
