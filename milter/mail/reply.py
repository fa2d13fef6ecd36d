"""Replies: what the next hop said, and what we say.

A `Reply` of ours is built by `own_reply`, which cannot give an enhanced status code of another
class than its code. A reply of the next hop keeps its lines verbatim.

Standards: RFC 5321 §4.2 (replies), RFC 2034 and RFC 3463 (enhanced status codes).
"""

import re
from dataclasses import dataclass

_ENHANCED = re.compile(rb"([245])\.(\d{1,3})\.(\d{1,3})(?: |$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Code and text lines; a line is what follows `250-` or `250 `, enhanced code included."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def enhanced(self) -> str:
        """The enhanced status code of the first line, or an empty string."""
        match = _ENHANCED.match(self.lines[0]) if self.lines else None
        return match.group(0).strip().decode("ascii") if match else ""

    @property
    def is_positive(self) -> bool:
        """2xx or 3xx."""
        return 200 <= self.code < 400

    @property
    def is_transient(self) -> bool:
        """4xx: try again later."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """5xx: do not try again."""
        return self.code >= 500


def own_reply(code: int, enhanced: str, text: str) -> Reply:
    """A reply of ours, one ASCII line; raises ValueError where code and enhanced code differ in class."""
    if not enhanced.startswith(f"{code // 100}."):
        raise ValueError(f"reply {code} cannot carry enhanced status code {enhanced}")
    return Reply(code=code, lines=(f"{enhanced} {text}".encode("ascii"),))
