"""Which intents and entities were found, against the marks of the corpus."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from bench.judged import Judged
from nlp.training.corpus import TrainingMail

_ENTITIES: Final = ("handle", "phone", "money", "platform", "person")
_LEAST: Final = 10


def labels(judged: Sequence[Judged]) -> Iterator[str]:
    """Precision and recall of each label that enough mails carry."""
    yield from (
        "## Intents, by mail",
        "",
        "A label counts once a mail, whether rules or model found it; mails that the screen stopped",
        f"have none. Labels that fewer than {_LEAST} mails carry are left out, and so are mails of",
        "which only the class is known.",
        "",
        "| label | mails | precision | recall |",
        "|---|---|---|---|",
    )
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in judged:
        if not one.mail.labels_marked:
            continue
        truth = {label.lower() for label in one.mail.intents}
        found = {intent.label for intent in one.analysis.intents} if one.analysis else set()
        for label in truth | found:
            counts[label]["true"] += label in truth
            counts[label]["found"] += label in found
            counts[label]["both"] += label in truth & found
    for label, count in sorted(counts.items()):
        if count["true"] >= _LEAST:
            precision = f"{100 * count['both'] / count['found']:.0f} %" if count["found"] else "–"
            yield (
                f"| {label} | {count['true']} | {precision} "
                f"| {100 * count['both'] / count['true']:.0f} % |"
            )
    yield ""


def entities(judged: Sequence[Judged]) -> Iterator[str]:
    """Recall and precision of the kinds that are marked throughout."""
    yield from (
        "## Entities",
        "",
        "Mails past the screen that have all entities marked. A marked span is found if one of its",
        "kind overlaps it; what is found in text that has no mark of its kind counts against",
        "precision.",
        "",
        "| kind | marked | recall | precision |",
        "|---|---|---|---|",
    )
    for kind in _ENTITIES:
        marked = hit = found = right = 0
        for one in judged:
            if not one.mail.entities_marked or one.analysis is None or not one.screened:
                continue
            spans = _marked(one.mail, kind)
            seen = [
                (entity.source.value, entity.start, entity.end)
                for entity in one.analysis.entities
                if entity.type == kind and entity.source.value in ("subject", "body", "signature")
            ]
            marked += len(spans)
            hit += sum(any(_overlap(span, other) for other in seen) for span in spans)
            found += len(seen)
            right += sum(any(_overlap(other, span) for span in spans) for other in seen)
        if marked and found:
            yield f"| {kind} | {marked} | {100 * hit / marked:.0f} % | {100 * right / found:.0f} % |"
    yield ""


def _marked(mail: TrainingMail, kind: str) -> list[tuple[str, int, int]]:
    return [
        (source, span.start, span.end)
        for source, text in (("subject", mail.subject), ("body", mail.body))
        for span in text.spans
        if span.label == kind
    ]


def _overlap(one: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    # A signature is cut from the body, and its offsets count in the body.
    same = ("subject" in (one[0], other[0])) == (one[0] == other[0] == "subject")
    return same and one[1] < other[2] and other[1] < one[2]
