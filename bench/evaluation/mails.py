"""What became of the mails: by language, class, position, length and sender; gaps between languages."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bench.evaluation.groups import (
    CLASSES,
    LONG,
    MIDDLE,
    SHORT,
    Group,
    Outcome,
    grouped,
    held,
    length_of,
    outcome_of,
    tagged,
)
from bench.evaluation.shares import Gap, Share, share
from bench.judged import Judged, is_tagged

_POSITIONS: Final = ("cold", "after_relay", "thread")
_SENDERS: Final = ("freemail", "domain", "aligned", "relay")
_REFERENCE: Final = "en"
_UNSEEN_WRITERS: Final = ("T6", "T7")


def sections(judged: Sequence[Judged]) -> Iterator[str]:
    """All of it."""
    every = Group.of(judged)
    languages = grouped(judged, lambda one: one.mail.language)
    yield from (
        "## Lures and honest mail",
        "",
        "*Tagged*: the verdict is lure, lure_malware or scam, so the default policy annotates at",
        "least. *Held*: tagged, the named combination is there and the score is 35 dB or more, so",
        "the default policy quarantines in enforce mode. Every share is of the mails of its row and",
        "class, with Wilson's 95 % interval. Lures are LURE_RECRUIT, LURE_EVENT and LURE_MALWARE;",
        "hard is BENIGN_HARD (shares surface signals with lures on purpose), easy is BENIGN_EASY.",
        "",
        *_by("language", {**languages, "all": every}),
        *_rules_alone(every),
        "The counts of the older mails were in view when earlier weights were chosen; the mails of the",
        f"writers {' and '.join(_UNSEEN_WRITERS)} are newer than every choice but three, which were made",
        "on writers of train and dev and on real mail, but with all counts in view: thresholds for the labels",
        "of sentences, those of the screen, and the form of the blend of words and reading (docs/decisions/0016).",
        "",
        *_by("written", grouped(judged, _wave)),
        *_by("position", grouped(judged, lambda one: one.mail.position, _POSITIONS)),
        "Length counts the words of subject and body: runs between blanks, Han text two characters",
        "a word.",
        "",
        *_by("length", grouped(judged, length_of, (SHORT, MIDDLE, LONG))),
        "What the header says of the sender, as the corpus has it: free mail, a domain that nothing",
        "vouches for, an aligned domain, text relayed by a platform.",
        "",
        *_by("sender", grouped(judged, lambda one: one.mail.sender, _SENDERS)),
        *confusion(judged),
        *_parity(languages),
    )


def _by(name: str, groups: Mapping[str, Group]) -> Iterator[str]:
    yield f"| {name} | lures tagged | held | past the screen | hard tagged | held | easy tagged |"
    yield "|---|---|---|---|---|---|---|"
    for key, group in groups.items():
        passed = sum(one.screened for one in group.lures)
        yield (
            f"| {key} | {tagged(group.lures)} | {held(group.lures).hits} "
            f"| {passed} of {len(group.lures)} | {tagged(group['BENIGN_HARD'])} "
            f"| {held(group['BENIGN_HARD']).hits} | {tagged(group['BENIGN_EASY'])} |"
        )
    yield ""


def _wave(one: Judged) -> str:
    return "newer" if one.mail.writer in _UNSEEN_WRITERS else "older"


def _rules_alone(every: Group) -> Iterator[str]:
    def by_rules(judged: Sequence[Judged]) -> Share:
        return share([is_tagged(one.rules_alone) for one in judged])

    yield (
        f"By the rules alone: {by_rules(every.lures)} of the lures and {by_rules(every.honest)} of "
        "the honest mails (hard and easy) would be tagged. These are the same readings scored again"
        " without the findings of the trained model (`MODEL_...`, `READS_...`); the screen stays as"
        " it ships."
    )
    yield ""


def confusion(judged: Sequence[Judged]) -> Iterator[str]:
    """Class against what becomes of it; each mail counts once."""
    every = Group.of(judged)
    yield from (
        "## What becomes of each class",
        "",
        "Each mail counts once, under the strongest that happens to it. *Info*: from 12 dB, a",
        "header only; *clean*: less.",
        "",
        f"| class | mails | {' | '.join(Outcome)} | tagged or held |",
        "|---|" + "---|" * (len(Outcome) + 2),
    )
    for name in CLASSES:
        outcomes = [outcome_of(one) for one in every[name]]
        counts = " | ".join(str(outcomes.count(outcome)) for outcome in Outcome)
        yield f"| {name} | {len(outcomes)} | {counts} | {tagged(every[name])} |"
    yield ""


def _parity(languages: Mapping[str, Group]) -> Iterator[str]:
    reference = languages.get(_REFERENCE)
    if reference is None:
        return
    yield from (
        "## Languages beside English",
        "",
        "The share tagged in a language less that in English, in points, with Newcombe's 95 %",
        "interval for the difference of two independent shares (from Wilson's intervals); bold where",
        "zero lies outside. With so many rows one or two would be bold by chance. For lures more is",
        "better, for hard honest mail less.",
        "",
        "| language | lures tagged | hard tagged |",
        "|---|---|---|",
    )
    for name, group in languages.items():
        if name != _REFERENCE:
            lures = Gap(tagged(group.lures), tagged(reference.lures))
            hard = Gap(tagged(group["BENIGN_HARD"]), tagged(reference["BENIGN_HARD"]))
            yield f"| {name} | {lures} | {hard} |"
    yield ""
