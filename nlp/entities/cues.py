"""Phrases that stand right before something: "search for", "my name there is", "用户名".

A set of whole phrases is asked for the last words before a place, which costs the same however many
phrases there are; a pattern of some hundred alternatives would be tried at every character.
"""

from collections.abc import Iterable

_REACH, _OPENING = 48, "([{\"'`«“,;:"
_CLOSING = " \t\n\"'`«“:=([-–—"


class Cues:
    """Phrases of whole words, and phrases of scripts that leave no space (`joined`)."""

    def __init__(self, phrases: Iterable[str], joined: Iterable[str] = ()) -> None:
        self._phrases = frozenset(phrases)
        self._joined = tuple(joined)
        self._longest = max(phrase.count(" ") for phrase in self._phrases) + 1

    def end_at(self, folded: str, at: int, first: int = 0) -> bool:
        """Whether one ends before `at`, not before `first`; opening signs may stand between."""
        before = folded[max(first, at - _REACH) : at].rstrip(_CLOSING)
        if not before:
            return False
        words = before.split()
        phrase = ""
        for word in reversed(words[-self._longest :]):
            phrase = f"{word} {phrase}" if phrase else word
            if phrase.lstrip(_OPENING) in self._phrases:
                return True
        return before.endswith(self._joined)
