"""Newest text, quoted text and signature of one decoded text.

Works on lines: text that is answered below or between is cut into several runs. Loses nothing: the
runs, laid end to end, are the text. Refuses to believe a quotation by a word alone: what is not
prefixed, marked by HTML or announced as programs announce it stays the sender's own text, for a
sender must not be able to hide his text behind "He wrote:". The wording is in `reply_style`.

**Standards:** RFC 3676 §4.3 (signature separator), §4.5 (quoting).
**Failure:** never raises.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from milter.mail.finding import Source
from milter.read import reply_style

# A signature longer than this is text (nobody may sign with a letter).
MAX_SIGNATURE_LINES = 16
MAX_SIGNATURE_CHARS = 1_200
MAX_SIGN_OFF_LINES = 8
_MAX_SIGNATURE_LINE = 90
_MAX_ATTRIBUTION_LINES = 4
_MAX_LINES = 20_000
_SENTENCE_WORDS = 6
_SENTENCE_CHARS = 30
_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", "؟")
_SIGNATURE_DELIMITERS = frozenset({"-- ", "--", "—", "– "})

Span = tuple[int, int]
Run = tuple[Source, int, int]


def split_text(
    text: str,
    *,
    quoted: Sequence[Span] = (),
    indented: Sequence[Span] = (),
    signed: Sequence[Span] = (),
) -> tuple[Run, ...]:
    """Cut a text into runs (source, start, end) of body, quoted and signature.

    `quoted`, `indented` and `signed` are spans that HTML told apart.
    """
    if not text:
        return ()
    splitter = _Splitter(text)
    candidates = splitter.quote_prefixed()
    for start, end in quoted:
        splitter.quote_span(start, end)
    splitter.quote_announced(candidates, indented)
    splitter.quote_blank_between()
    for start, end in signed:
        splitter.sign_span(start, end)
    splitter.sign()
    return tuple(splitter.runs())


# The sources by number, so that the lines of a text are one row of octets.
_SOURCES = (Source.BODY, Source.QUOTED, Source.SIGNATURE)
_BODY, _QUOTED, _SIGNATURE = range(3)
_RUN = re.compile(rb"\x00+|\x01+|\x02+")
_BODY_RUN = re.compile(rb"\x00+")


class _Splitter:
    """The lines of a text and the source of each."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n", _MAX_LINES)
        # The offset of a line is the length of all before it and one line end for each.
        self.lengths = [0, *accumulate(map(len, self.lines))]
        self.sources = bytearray(len(self.lines))

    def quote_prefixed(self) -> list[int]:
        """Quote lines with a prefix; returns the others that may announce quoted text."""
        candidates: list[int] = []
        begins_here = reply_style.FIRST_CHARACTERS
        ends_here = reply_style.LAST_CHARACTERS
        for number, line in enumerate(self.lines):
            line = line.strip()
            if not line:
                continue
            if line[0] == ">":
                self.sources[number] = _QUOTED
            elif line[-1] in ends_here or line[0] in begins_here:
                candidates.append(number)
        return candidates

    def quote_span(self, start: int, end: int) -> int:
        """Quote all lines within a span; the number of the line below it."""
        first, below = self._span_lines(start, end)
        self._fill(first, below, _QUOTED)
        return below

    def quote_announced(self, candidates: list[int], indented: Sequence[Span]) -> None:
        """Find what announces quoted text, and what it announces."""
        resume_at = 0
        for number in candidates:
            if number < resume_at or self.sources[number] != _BODY:
                continue
            first = self._announcement(number)
            if first is None:
                continue
            self._fill(first, number + 1, _QUOTED)
            content = self._next_with_text(number + 1)
            if content == len(self.lines):
                return
            if self.sources[content] == _QUOTED:
                continue
            block = self._indented_block(indented, content)
            if block is None:
                # Many programs put the old mail below without any mark: all the rest is quoted.
                self._fill(content, len(self.lines), _QUOTED)
                return
            resume_at = self.quote_span(self._start(content), block[1])

    def quote_blank_between(self) -> None:
        """Blank lines between two quoted lines are quoted too."""
        for run in list(_BODY_RUN.finditer(self.sources)):
            first, below = run.span()
            is_between = first > 0 and below < len(self.lines)
            if is_between and not any(map(str.strip, self.lines[first:below])):
                self._fill(first, below, _QUOTED)

    def sign_span(self, start: int, end: int) -> None:
        """A block that HTML marks as a signature, if it is no longer than one."""
        self._sign_lines(*self._span_lines(start, end))

    def sign(self) -> None:
        """Find the signature at the end of each run of body text."""
        for run in list(_BODY_RUN.finditer(self.sources)):
            self._sign_run(*run.span())

    def runs(self) -> Iterator[Run]:
        """Neighbouring lines of one source joined."""
        length = self._start(len(self.lines)) - 1
        for run in _RUN.finditer(self.sources):
            start, end = self._start(run.start()), min(self._start(run.end()), length)
            if start < end:
                yield _SOURCES[self.sources[run.start()]], start, end

    def _start(self, number: int) -> int:
        return self.lengths[number] + number

    def _announcement(self, number: int) -> int | None:
        """If quoted text is announced on this line: the first line of the announcement."""
        line = self.lines[number]
        if reply_style.is_separator(line):
            return number
        if reply_style.is_underscore_rule(line):
            below = self._next_with_text(number + 1)
            return number if self._is_header_block(below) else None
        if self._is_header_block(number):
            return number
        joined = ""
        if reply_style.ends_like_attribution(line):
            for at in range(number, max(number - _MAX_ATTRIBUTION_LINES, -1), -1):
                above = self.lines[at].strip()
                if self.sources[at] != _BODY or not above:
                    break
                joined = f"{above} {joined}".rstrip()
                if reply_style.is_attribution(joined):
                    return at
        return None

    def _is_header_block(self, number: int) -> bool:
        lines = self.lines[number : number + reply_style.HEADER_BLOCK_LINES]
        return reply_style.is_header_block(lines)

    def _span_lines(self, start: int, end: int) -> Span:
        """The lines that begin within a span, which may begin at the line end before the first."""
        numbers = range(len(self.lines))
        return (
            bisect_left(numbers, start, key=self._start),
            bisect_left(numbers, end, key=self._start),
        )

    def _fill(self, first: int, below: int, source: int) -> None:
        if first < below:
            self.sources[first:below] = bytes((source,)) * (below - first)

    def _indented_block(self, indented: Sequence[Span], number: int) -> Span | None:
        start, end = self._start(number), self._start(number + 1) - 1
        return next((span for span in indented if span[0] <= start and end <= span[1] + 1), None)

    def _next_with_text(self, number: int) -> int:
        while number < len(self.lines) and not self.lines[number].strip():
            number += 1
        return number

    def _sign_run(self, first: int, stop: int) -> None:
        bottom = max(first, stop - MAX_SIGNATURE_LINES - 4)
        for number in range(stop - 1, bottom - 1, -1):
            # RFC 3676 §4.3: "-- " alone on a line; many programs lose the space.
            is_delimiter = self.lines[number] in _SIGNATURE_DELIMITERS
            if is_delimiter and self._sign_lines(number, stop):
                stop = number
                break
        for number in range(bottom, stop):
            if reply_style.is_sent_from(self.lines[number]):
                self.sources[number] = _SIGNATURE
        for number in range(stop - 1, bottom - 1, -1):
            if reply_style.is_sign_off(self.lines[number]):
                if self._looks_signed(number + 1, stop):
                    self._sign_lines(number + 1, stop)
                return

    def _sign_lines(self, first: int, below: int) -> bool:
        """Make lines a signature unless they are too many or too long for one."""
        with_text = [at for at in range(first, below) if self.lines[at].strip()]
        if not with_text or len(with_text) > MAX_SIGNATURE_LINES:
            return False
        if self._start(with_text[-1] + 1) - self._start(with_text[0]) > MAX_SIGNATURE_CHARS:
            return False
        for at in range(first, below):
            if self.sources[at] == _BODY:
                self.sources[at] = _SIGNATURE
        return True

    def _looks_signed(self, first: int, below: int) -> bool:
        """Are the lines below a closing formula short and no sentences?"""
        texts = [text for line in self.lines[first:below] if (text := line.strip())]
        return 0 < len(texts) <= MAX_SIGN_OFF_LINES and not any(map(_is_sentence, texts))


def _is_sentence(line: str) -> bool:
    if len(line) > _MAX_SIGNATURE_LINE or line[:2].upper() == "PS" or line[:3].upper() == "P.S":
        return True
    if not line.endswith(_SENTENCE_ENDS):
        return False
    # Chinese, Japanese and Korean say in ten characters what takes six words elsewhere.
    longest = _SENTENCE_CHARS if line.isascii() else _SENTENCE_CHARS // 3
    return len(line) > longest or len(line.split()) >= _SENTENCE_WORDS
