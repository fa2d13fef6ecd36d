"""`make evaluate`: the whole judgement on the test split and on real mail; writes docs/evaluation.md.

`python -m bench.evaluate [--output FILE] [--no-real]`. Nothing is trained or tuned here. The test
split was written by other writers than train and dev; real mail is read from beside the project
and only counted.
"""

import argparse
import gzip
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.judged import Judged, in_processes, is_held, is_tagged, judge, judge_raw
from bench.real import ROOT, with_crlf
from nlp.pipeline import model_version
from nlp.training.corpus import TrainingMail, read_corpus

REPORT: Final = Path(__file__).parents[1] / "docs" / "evaluation.md"
_ORDINARY: Final = ("spamassassin", "enron", "csdmc2010", "list_mail")
_HAM: Final = frozenset({"ham", "hard_ham", "list_mail"})
_ENTITIES: Final = ("handle", "phone", "money", "platform", "person")
RealRow = tuple[str, str, bool, bool, bool, str]


def main() -> None:
    """Judge everything and write the report."""
    parser = argparse.ArgumentParser(prog="python -m bench.evaluate")
    parser.add_argument("--output", type=Path, default=REPORT)
    parser.add_argument("--no-real", action="store_true")
    arguments = parser.parse_args()
    judged = list(in_processes(judge, read_corpus("test")))
    real = [] if arguments.no_real else list(in_processes(_judge_real, _ordinary_mail()))
    lines = [*_head(), *_mails(judged), *_labels(judged), *_entities(judged), *_real(real)]
    arguments.output.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"wrote {arguments.output}")


def _head() -> Iterator[str]:
    corpus = Counter(mail.split for mail in read_corpus())
    yield from (
        "# Evaluation",
        "",
        "Written by `make evaluate`; do not edit. Every mail of the test split goes through reading,",
        "language, identity and the shipped weights, as a front would judge it (bench/judged.py):",
        "`sender` of the mail decides whether it comes from free mail, from a domain that nothing",
        "vouches for, or from an aligned one; there is no memory. Lures and their honest twins share",
        "surface signals on purpose, so the false alarms here are those of the hardest honest mail.",
        "",
        f"Corpus: {corpus['train']} train, {corpus['dev']} dev, {corpus['test']} test mails. The",
        "model is trained on train and dev (`make train`); the test split was written by other",
        f"writers and is read only here. Language data: `{model_version()}`.",
        "",
    )


def _mails(judged: Sequence[Judged]) -> Iterator[str]:
    yield "## Mails of the test split"
    yield ""
    yield "| language | lures tagged | held | honest (hard) tagged | held | scams tagged | reports tagged | lures past the screen |"
    yield "|---|---|---|---|---|---|---|---|"
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        groups[one.mail.language].append(one)
    for language, of_it in [*sorted(groups.items()), ("all", list(judged))]:
        lures = [one for one in of_it if one.mail.is_lure]
        honest = [one for one in of_it if one.mail.mail_class.startswith("BENIGN")]
        scams = [one for one in of_it if one.mail.mail_class == "SCAM"]
        reports = [one for one in of_it if one.mail.mail_class == "REPORTED"]
        yield (
            f"| {language} | {_share(lures)} | {_count(lures, held=True)} | {_share(honest)} "
            f"| {_count(honest, held=True)} | {_share(scams)} | {_share(reports)} "
            f"| {sum(one.screened for one in lures)} of {len(lures)} |"
        )
    yield ""
    by_rules = {
        kind: [is_tagged(one.rules_alone) for one in judged if one.mail.mail_class[:4] == kind]
        for kind in ("LURE", "BENI")
    }
    yield (
        f"By the rules alone, without the trained model: {sum(by_rules['LURE'])} of "
        f"{len(by_rules['LURE'])} lures and {sum(by_rules['BENI'])} of {len(by_rules['BENI'])} "
        f"honest mails would be tagged."
    )
    yield ""
    yield "Shares with a 95 % interval (Wilson). By kind of sender:"
    yield ""
    yield "| sender | lures tagged | honest tagged |"
    yield "|---|---|---|"
    for sender in ("freemail", "domain", "aligned", "relay"):
        of_it = [one for one in judged if one.mail.sender == sender]
        lures = [one for one in of_it if one.mail.is_lure]
        honest = [one for one in of_it if one.mail.mail_class.startswith("BENIGN")]
        yield f"| {sender} | {_share(lures)} | {_share(honest)} |"
    yield ""


def _count(judged: Sequence[Judged], *, held: bool = False) -> int:
    return sum(one.is_held if held else one.is_tagged for one in judged)


def _share(judged: Sequence[Judged]) -> str:
    total = len(judged)
    if not total:
        return "–"
    tagged = _count(judged)
    low, high = _interval(tagged, total)
    return f"{tagged} of {total} ({100 * tagged / total:.0f} %, {100 * low:.0f}–{100 * high:.0f})"


def _interval(hits: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    z = 1.96
    share = hits / total
    middle = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (middle - spread) / (1 + z * z / total), (middle + spread) / (1 + z * z / total)


def _labels(judged: Sequence[Judged]) -> Iterator[str]:
    yield "## Intents of the test split, by mail"
    yield ""
    yield "| label | mails | precision | recall |"
    yield "|---|---|---|---|"
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in judged:
        truth = {label.lower() for label in one.mail.intents}
        found = {intent.label for intent in one.analysis.intents} if one.analysis else set()
        for label in truth | found:
            counts[label]["true"] += label in truth
            counts[label]["found"] += label in found
            counts[label]["both"] += label in truth & found
    for label, count in sorted(counts.items()):
        if count["true"] >= 10:
            precision = f"{100 * count['both'] / count['found']:.0f} %" if count["found"] else "–"
            yield (
                f"| {label} | {count['true']} | {precision} "
                f"| {100 * count['both'] / count['true']:.0f} % |"
            )
    yield ""


def _entities(judged: Sequence[Judged]) -> Iterator[str]:
    yield "## Entities of the test split"
    yield ""
    yield "Mails past the screen. A marked span is found if one of its kind overlaps it; what is found"
    yield "in text that has no mark of its kind counts against precision."
    yield ""
    yield "| kind | marked | recall | precision |"
    yield "|---|---|---|---|"
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


def _ordinary_mail() -> Iterator[tuple[str, str, str]]:
    for name in _ORDINARY:
        path = ROOT / name / f"{name}.jsonl.gz"
        if path.is_file():
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for record in map(json.loads, lines):
                    if record.get("label") in _HAM:
                        yield name, record["id"], record["raw"]


def _judge_real(record: tuple[str, str, str]) -> RealRow:
    name, mail_id, raw = record
    reading, verdict = judge_raw(with_crlf(raw.encode("latin-1")))
    codes = ", ".join(
        row.finding.code for row in verdict.findings if row.weight_db and row.family != "context"
    )
    return name, mail_id, reading.screened, is_tagged(verdict), is_held(verdict), codes


def _real(rows: Sequence[RealRow]) -> Iterator[str]:
    if not rows:
        return
    yield "## Ordinary real mail"
    yield ""
    yield "The parts of ../shared/corpora that are not held out; nothing vouches for any sender."
    yield ""
    yield "| set | mails | past the screen | tagged | held |"
    yield "|---|---|---|---|---|"
    for name in [*dict.fromkeys(row[0] for row in rows), "all"]:
        of_it = [row for row in rows if name in (row[0], "all")]
        passed = sum(row[2] for row in of_it)
        yield (
            f"| {name} | {len(of_it)} | {passed} ({100 * passed / len(of_it):.1f} %) "
            f"| {sum(row[3] for row in of_it)} | {sum(row[4] for row in of_it)} |"
        )
    yield ""
    yield "Each that is tagged, with the findings that weigh:"
    yield ""
    for name, mail_id, _, tagged, held, codes in rows:
        if tagged:
            yield f"- {name} `{mail_id}`{' (held)' if held else ''}: {codes}"


if __name__ == "__main__":
    main()
