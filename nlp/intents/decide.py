"""What the message says as a whole: matches become labels, labels settle each other.

One decision a label: the strongest strength, all attributes, all spans merged. Then the
conclusions of the grammar run in their order; what the recognisers know (a handle stands in the
text, in the signature, only in an attachment) enters as facts.

Failure: none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nlp.analysis import IntentLabel
from nlp.intents.concepts import Page
from nlp.intents.grammar import Conclusion, Match, grammar

_MAX_SPANS = 8
# An approach stands on one page. What a long text says in places far apart (a digest, a contract,
# a thread of many voices) is not said to the reader in one breath and does not add up.
PASSAGE_WORDS = 400


@dataclass(slots=True)
class Decision:
    """A label with what speaks for it; spans count in the masked text."""

    label: IntentLabel
    strength: int
    attributes: set[str] = field(default_factory=set)
    spans: list[tuple[int, int]] = field(default_factory=list)


def decide(matches: Iterable[Match], page: Page, facts: frozenset[str]) -> list[Decision]:
    """The labels of a message, in the order of the closed list."""
    decisions: dict[IntentLabel, Decision] = {}
    for match in within_passage(matches, page):
        rule = match.rule
        decision = decisions.setdefault(rule.label, Decision(rule.label, 0))
        decision.strength = max(decision.strength, rule.strength)
        decision.attributes.update(rule.attributes or ("",))
        decision.spans.extend(match.spans)
    for decision in decisions.values():
        # An official line is one only if nothing else asks to leave for another channel.
        if "scheduling" in decision.attributes and "" in decision.attributes:
            decision.attributes.discard("scheduling")
        decision.attributes.discard("")
    concepts = {concept for found in page.by_sentence for concept in found}
    for conclusion in grammar().conclusions:
        if _holds(conclusion, decisions, concepts, facts):
            _conclude(conclusion, decisions)
    for decision in decisions.values():
        decision.spans = merged(decision.spans)[:_MAX_SPANS]
    return [decisions[label] for label in IntentLabel if label in decisions]


def within_passage(matches: Iterable[Match], page: Page) -> list[Match]:
    """Lure-side matches of the passage that says most; all other matches count wherever they are."""
    found = list(matches)
    lure = grammar().lure
    asked = sorted(
        (match for match in found if match.section == "body" and match.rule.label in lure),
        key=lambda match: match.spans[0],
    )
    if (
        not asked
        or page.words_between(asked[0].spans[0][0], asked[-1].spans[-1][1]) <= PASSAGE_WORDS
    ):
        return found
    best: list[Match] = []
    most = (0, 0)
    end = 0
    for start, first in enumerate(asked):
        while end < len(asked) and (
            page.words_between(first.spans[0][0], asked[end].spans[-1][1]) <= PASSAGE_WORDS
        ):
            end += 1
        passage = asked[start : max(end, start + 1)]
        plain = {match.rule.label for match in passage if match.rule.strength > 1}
        says = (len(plain), len({match.rule.label for match in passage}))
        if says > most:
            best, most = passage, says
    kept = {id(match) for match in best}
    beside = {id(match) for match in asked} - kept
    return [match for match in found if id(match) not in beside]


def merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, overlapping ones joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _holds(
    conclusion: Conclusion,
    decisions: dict[IntentLabel, Decision],
    concepts: set[str],
    facts: frozenset[str],
) -> bool:
    def is_so(name: str) -> bool:
        if name[0] == "@":
            return name[1:] in facts
        if name[0] == "#":
            return name[1:] in concepts
        label, _, attribute = name.partition(".")
        decision = decisions.get(IntentLabel(label))
        if decision is None:
            return False
        if attribute == "explicit":
            return decision.strength > 1
        return not attribute or attribute in decision.attributes

    return all(any(map(is_so, item)) for item in conclusion.all_of) and not any(
        map(is_so, conclusion.none_of)
    )


def _conclude(conclusion: Conclusion, decisions: dict[IntentLabel, Decision]) -> None:
    marks = set(conclusion.marks)
    for label in conclusion.labels:
        decision = decisions.get(label)
        if conclusion.then == "add":
            if decision is None:
                spans = [
                    span
                    for name in conclusion.spans_of.split("|")
                    if name and (source := decisions.get(IntentLabel(name)))
                    for span in source.spans[:2]
                ]
                decisions[label] = Decision(label, conclusion.strength, marks, spans)
        elif decision is None:
            continue
        elif conclusion.then == "drop":
            del decisions[label]
        elif conclusion.then == "weaken":
            decision.strength = 1
        elif conclusion.then == "mark":
            decision.attributes |= marks
        elif conclusion.then == "unmark":
            decision.attributes -= marks
        else:
            raise ValueError(f"unknown conclusion: {conclusion.then}")
