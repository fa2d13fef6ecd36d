"""Is the corpus sound: `python -m nlp.training.check` names every fault and counts what is there.

Checked: unique names, cases in one split only, twins that exist and are honest and share surface
signals, spans without blanks or stops at their ends, labels that fit the class, no near-duplicates
(half of one mail's text in another).

Failure: exit 1 with one line per fault; what breaks the notation is told alone, before all else.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain, combinations
from typing import Any, Final

import numpy as np

from nlp.analysis import ReadableText, TextSegment
from nlp.entities import find_entities
from nlp.training.corpus import CorpusError, TrainingMail, read_corpus

ATTRIBUTES: Final = {
    "PROFILE": {"access", "generic"},
    "OFFPLATFORM": {"scheduling"},
    "PAID_REPORT": {"written", "call"},
    "MONEY": {"odd_channel", "vague"},
    "SECRECY": {"secrecy", "urgency", "boilerplate"},
    "DATA_REQ": {"cv", "id_doc", "bank", "clearance", "login"},
}
_NEEDS_ATTRIBUTE: Final = frozenset({"PROFILE", "PAID_REPORT", "SECRECY", "DATA_REQ"})
_LURE_SIDE: Final = frozenset(
    {"OFFPLATFORM", "NO_CLIENT", "PAID_REPORT", "SENSITIVE", "CONTACTS", "TRIAL", "TRAVEL_MEET"}
    | {"SECRECY", "DATA_REQ", "LURE_FILE", "VAGUE_OFFER", "MONEY", "PLATFORM_CLAIM", "APPROACH"}
)
_EDGES: Final = " \t\n.。!！?？,，;；،؛؟"
# Two mails are alike if the shorter has so much of its text from the other. A run is of octets:
# sixteen letters of English, five of Chinese; a quarter of them, chosen by their numbers, is enough.
_ALIKE: Final = 0.5
_RUN: Final = 16
_ONE_IN: Final = np.uint64(4)
_FEW: Final = 8
# What so many mails hold is a way of speaking.
_OF_THE_LANGUAGE: Final = 40
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_HIGH: Final = np.uint64(40)
_ONE: Final = np.uint64(1)
Numbers = np.ndarray[Any, Any]


def faults(mails: tuple[TrainingMail, ...]) -> Iterator[str]:
    """One line for each thing that is wrong."""
    by_id = {mail.mail_id: mail for mail in mails}
    for mail_id, count in Counter(mail.mail_id for mail in mails).items():
        if count > 1:
            yield f"{mail_id}: {count} mails of that name"
    for mail in mails:
        yield from _mail_faults(mail, by_id)
    splits = defaultdict(set)
    for mail in mails:
        splits[mail.case].add(mail.split)
    yield from (
        f"case {case}: in more than one split" for case, of in splits.items() if len(of) > 1
    )
    yield from _near_duplicates(mails)


def _mail_faults(mail: TrainingMail, by_id: dict[str, TrainingMail]) -> Iterator[str]:
    for marked in (mail.subject, mail.body):
        for span in marked.spans:
            text = marked.text[span.start : span.end]
            known = ATTRIBUTES.get(span.label, set())
            if span.attribute and span.attribute not in known:
                yield f"{mail.mail_id}: {span.label} has no attribute {span.attribute}"
            if not span.attribute and span.label in _NEEDS_ATTRIBUTE:
                yield f"{mail.mail_id}: {span.label} needs one of {', '.join(sorted(known))}"
            if not span.is_entity and (text[0] in _EDGES or text[-1] in _EDGES):
                yield f"{mail.mail_id}: {span.label} begins or ends with a blank or a stop: {text!r}"
    if mail.is_lure and mail.labels_marked and not mail.intents & _LURE_SIDE:
        yield f"{mail.mail_id}: a lure without a lure's label"
    if mail.mail_class == "REPORTED" and mail.intents:
        yield f"{mail.mail_id}: a report labels nothing"
    if mail.twin:
        yield from _twin_faults(mail, by_id.get(mail.twin))


def _twin_faults(mail: TrainingMail, twin: TrainingMail | None) -> Iterator[str]:
    if twin is None:
        yield f"{mail.mail_id}: no twin {mail.twin}"
    elif twin.is_lure or not mail.is_lure:
        yield f"{mail.mail_id}: a twin is the honest mail of a lure"
    elif twin.case != mail.case:
        yield f"{mail.mail_id}: its twin {mail.twin} is of another case"
    elif len(_signals(mail) & _signals(twin)) < 2:
        yield f"{mail.mail_id}: shares fewer than two surface signals with {mail.twin}"


def _signals(mail: TrainingMail) -> frozenset[str]:
    """What the two may share: labels, kinds of entities."""
    text = f"{mail.subject.text}\n{mail.body.text}"
    segment = TextSegment(source="body", part="1", text=text)
    entities = {entity.type.value for entity in find_entities(ReadableText(segments=(segment,)))}
    marked = {span.label for span in (*mail.subject.spans, *mail.body.spans)}
    return frozenset(entities | marked)


def _near_duplicates(mails: tuple[TrainingMail, ...]) -> Iterator[str]:
    runs = [_runs(mail.body.text) for mail in mails]
    holders = np.repeat(np.arange(len(mails)), [len(of_mail) for of_mail in runs])
    numbers = np.concatenate(runs)
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=numbers[order[0]] + _ONE))
    shared: Counter[tuple[int, int]] = Counter()
    for of_run in np.split(holders[order], starts[1:]):
        if 1 < len(of_run) <= _OF_THE_LANGUAGE:
            shared.update(combinations(of_run.tolist(), 2))
    for (first, second), count in shared.items():
        if mails[first].is_lure is not mails[second].is_lure:
            continue  # a lure and what an honest sender would have written in its place
        if count >= _ALIKE * min(len(runs[first]), len(runs[second])) and count >= _FEW:
            yield f"{mails[first].mail_id}, {mails[second].mail_id}: nearly the same mail"


def _runs(text: str) -> Numbers:
    """Some of the runs of octets of a text, as numbers; the same ones of the same passage."""
    written = " ".join(line for line in text.lower().splitlines() if not line.startswith(">"))
    octets = np.frombuffer(" ".join(written.split()).encode(), np.uint8).astype(np.uint64)
    count = max(0, len(octets) - _RUN + 1)
    numbers = np.zeros(count, np.uint64)
    for place in range(_RUN):
        numbers = numbers * _FACTOR + octets[place : place + count]
    chosen = (numbers >> _HIGH) % _ONE_IN == 0
    return np.unique(numbers[chosen])


def summary(mails: tuple[TrainingMail, ...]) -> Iterator[str]:
    """How many mails there are, by split, language and class."""
    counts = Counter((mail.split, mail.language, mail.mail_class) for mail in mails)
    for (split, language, mail_class), count in sorted(counts.items()):
        yield f"{split:5} {language:7} {mail_class:12} {count:5}"
    yield f"{len(mails)} mails"


def main() -> int:
    """Print faults and counts; 1 if there are faults."""
    try:
        mails = read_corpus()
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
    found = list(faults(mails))
    for line in chain(summary(mails), found):
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
