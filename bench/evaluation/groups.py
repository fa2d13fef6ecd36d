"""Judged mails by what they are and what became of them. Pure.

The words of a mail are counted here for its length: runs between blanks, Han text two characters a
word.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bench.evaluation.shares import Share, share
from bench.judged import Judged
from milter.mail.verdict import Label
from nlp.training.corpus import LURE_CLASSES

CLASSES: Final = (
    *("LURE_RECRUIT", "LURE_EVENT", "LURE_MALWARE", "SCAM"),
    *("BENIGN_HARD", "BENIGN_EASY", "REPORTED"),
)
SHORT, MIDDLE, LONG = "up to 40 words", "41 to 110 words", "more words"
_SHORT, _MIDDLE = 40, 110
_HAN: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


class Outcome(StrEnum):
    """What the default policy does in enforce mode, mildest first; each mail has one."""

    CLEAN = "clean"
    INFO = "info"
    TAGGED = "tagged"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Group:
    """Some judged mails, by class."""

    by_class: Mapping[str, tuple[Judged, ...]]

    @classmethod
    def of(cls, judged: Iterable[Judged]) -> "Group":
        """Sort them."""
        sorted_: dict[str, list[Judged]] = {name: [] for name in CLASSES}
        for one in judged:
            sorted_[one.mail.mail_class].append(one)
        return cls({name: tuple(of_it) for name, of_it in sorted_.items()})

    def __getitem__(self, mail_class: str) -> tuple[Judged, ...]:
        return self.by_class[mail_class]

    @property
    def lures(self) -> tuple[Judged, ...]:
        """All that the gateway must tag, scams left out."""
        return tuple(one for name in CLASSES if name in LURE_CLASSES for one in self[name])

    @property
    def honest(self) -> tuple[Judged, ...]:
        """Hard and easy ones; reports are neither."""
        return (*self["BENIGN_HARD"], *self["BENIGN_EASY"])


def grouped(
    judged: Iterable[Judged], key: Callable[[Judged], str], order: Sequence[str] = ()
) -> dict[str, Group]:
    """Groups by a key, in the given order or that of the alphabet."""
    parts: dict[str, list[Judged]] = {name: [] for name in order}
    for one in judged:
        parts.setdefault(key(one), []).append(one)
    names = order or sorted(parts)
    return {name: Group.of(parts[name]) for name in names}


def tagged(judged: Sequence[Judged]) -> Share:
    """How many would be annotated at least."""
    return share([one.is_tagged for one in judged])


def held(judged: Sequence[Judged]) -> Share:
    """How many would be quarantined."""
    return share([one.is_held for one in judged])


def outcome_of(one: Judged) -> Outcome:
    """The strongest that happens to it."""
    if one.is_held:
        return Outcome.HELD
    if one.is_tagged:
        return Outcome.TAGGED
    return Outcome.INFO if one.verdict.label is Label.INFO else Outcome.CLEAN


def length_of(one: Judged) -> str:
    """By the words of subject and body."""
    count = words_in(f"{one.mail.subject.text}\n{one.mail.body.text}")
    if count <= _SHORT:
        return SHORT
    return MIDDLE if count <= _MIDDLE else LONG


def words_in(text: str) -> int:
    """Runs between blanks that hold a letter or a digit; two Han characters are a word."""
    spaced = [run for run in _HAN.sub(" ", text).split() if any(map(str.isalnum, run))]
    return len(spaced) + (len(_HAN.findall(text)) + 1) // 2
