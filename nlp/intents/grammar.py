"""The rules that combine concepts into labels, read from `lexicon/intents/grammar.toml`.

A rule asks for one hit of each of its items, close together, in one sentence (or in three in
a row, or anywhere in the message), in any order unless it says so. A negation just before a hit cancels
it, words of prevention in the sentence do too. The comment on top of the data file explains the
keys.

Failure: none on any text; a rule with an unknown key or label raises when the grammar is loaded.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from nlp import lexicon
from nlp.analysis import IntentLabel
from nlp.intents.concepts import Hit, Page

_NEAR_WORDS = 12
_MAX_HITS = 12  # of one concept in one sentence: more is noise or an attack
_NEGATION_REACH = 2
_WINDOW = 3  # sentences
_BREAKS = frozenset(",;:()。，、；：\n،؛")

OWN_TEXT = frozenset({"subject", "body"})
CARRIED_TEXT = frozenset({"attachment", "qr", "ics", "vcard"})
SIGNATURE = frozenset({"signature"})
_SECTIONS = {
    "own": OWN_TEXT,
    "body": frozenset({"body"}),
    "carried": CARRIED_TEXT,
    "signature": SIGNATURE,
    "anywhere": OWN_TEXT | CARRIED_TEXT | SIGNATURE,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """One way to say something; `items` are alternatives that must all be found.

    `tight`, if not 0, is how many words may stand between the first two items.
    """

    number: int
    name: str
    label: IntentLabel
    items: tuple[tuple[str, ...], ...]
    strength: int = 2
    attributes: tuple[str, ...] = ()
    scope: str = "sentence"
    near: int = _NEAR_WORDS
    tight: int = 0
    ordered: bool = False
    unless: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    sections: frozenset[str] = OWN_TEXT
    negatable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What some labels say about others; `then` is add, drop, weaken, mark or unmark.

    `marks` are the attributes to add or to remove; `spans_of` names the labels, between bars, whose
    spans an added label shows.
    """

    then: str
    labels: frozenset[IntentLabel]
    all_of: tuple[tuple[str, ...], ...] = ()
    none_of: frozenset[str] = frozenset()
    marks: tuple[str, ...] = ()
    strength: int = 2
    spans_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """All rules by scope, and the conclusions in order."""

    sentence_rules: tuple[Rule, ...]
    window_rules: tuple[Rule, ...]
    message_rules: tuple[Rule, ...]
    conclusions: tuple[Conclusion, ...]
    concepts: frozenset[str]
    lure: frozenset[IntentLabel]


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that held, with the shortest stretch of masked text that shows it."""

    rule: Rule
    spans: tuple[tuple[int, int], ...]
    section: str


@lru_cache(maxsize=1)
def grammar() -> Grammar:
    """The grammar that ships with the package."""
    table = lexicon.read("intents/grammar")
    sets = {name: tuple(members) for name, members in table["sets"].items()}
    rules = [_rule(number, row, sets) for number, row in enumerate(table["rule"])]
    named = {concept for rule in rules for item in rule.items for concept in item}
    named.update(*(rule.unless | rule.absent for rule in rules))
    return Grammar(
        sentence_rules=tuple(rule for rule in rules if rule.scope == "sentence"),
        window_rules=tuple(rule for rule in rules if rule.scope == "window"),
        message_rules=tuple(rule for rule in rules if rule.scope == "message"),
        conclusions=tuple(_conclusion(row, sets) for row in table["conclusion"]),
        concepts=frozenset(named | {"neg", "but"}),
        lure=frozenset({*map(IntentLabel, sets["lure"]), IntentLabel.N_SCAM}),
    )


def _rule(number: int, row: dict[str, Any], sets: dict[str, tuple[str, ...]]) -> Rule:
    rest = dict(row)
    items = tuple(_alternatives(item, sets) for item in rest.pop("all"))
    label = IntentLabel(rest.pop("label"))
    return Rule(
        number=number,
        name=rest.pop("name", "+".join(row["all"])),
        label=label,
        items=items,
        attributes=tuple(rest.pop("attributes", ())),
        unless=frozenset(_members(rest.pop("unless", ()), sets)),
        absent=frozenset(_members(rest.pop("absent", ()), sets)),
        sections=_SECTIONS[rest.pop("sections", "own")],
        **rest,
    )


def _conclusion(row: dict[str, Any], sets: dict[str, tuple[str, ...]]) -> Conclusion:
    rest = dict(row)
    labels = frozenset(IntentLabel(name) for name in _members(rest.pop("labels"), sets))
    return Conclusion(
        labels=labels,
        all_of=tuple(_alternatives(item, sets) for item in rest.pop("all", ())),
        none_of=frozenset(_members(rest.pop("none", ()), sets)),
        marks=tuple(rest.pop("marks", ())),
        **rest,
    )


def _alternatives(item: str, sets: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(_members(item.split("|"), sets))


def _members(names: Sequence[str], sets: dict[str, tuple[str, ...]]) -> list[str]:
    """Names with each `$set` replaced by its members."""
    return [member for name in names for member in (sets[name[1:]] if name[0] == "$" else (name,))]


def apply_rules(page: Page) -> list[Match]:
    """Every rule that holds on the page, with its spans."""
    rules = grammar()
    everywhere = {concept for found in page.by_sentence for concept in found}
    matches: list[Match] = []

    def possible(rule: Rule) -> bool:
        return not (rule.absent & everywhere) and all(
            any(concept in everywhere for concept in item) for item in rule.items
        )

    sentence_rules = _by_first_item(filter(possible, rules.sentence_rules))
    window_rules = [rule for rule in rules.window_rules if possible(rule)]
    for index, found in enumerate(page.by_sentence):
        if not found:
            continue
        section = page.sentences[index].section
        candidates = {rule for concept in found for rule in sentence_rules.get(concept, ())}
        for rule in sorted(candidates, key=lambda rule: rule.number):
            if section in rule.sections and (span := _tightest(page, rule, found)):
                matches.append(Match(rule, (span,), section))
        if window_rules:
            matches += _window_matches(page, index, window_rules)
    for rule in rules.message_rules:
        if possible(rule) and (match := _anywhere(page, rule)):
            matches.append(match)
    return matches


def _by_first_item(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    index: dict[str, list[Rule]] = {}
    for rule in rules:
        for concept in rule.items[0]:
            index.setdefault(concept, []).append(rule)
    return index


def _tightest(page: Page, rule: Rule, found: dict[str, list[Hit]]) -> tuple[int, int] | None:
    if rule.unless and not rule.unless.isdisjoint(found):
        return None
    choices = _choices(rule, found)
    if choices is None:
        return None
    anchors = min(choices, key=len)
    best: tuple[int, int] | None = None
    for anchor in anchors:
        chosen = _around(page, rule, choices, anchors, anchor)
        if chosen is None or (rule.negatable and _negated(page, chosen, found)):
            continue
        start = min(hit.start for hit in chosen)
        end = max(hit.end for hit in chosen)
        if best is None or end - start < best[1] - best[0]:
            best = (start, end)
    return best


def _choices(rule: Rule, found: dict[str, list[Hit]]) -> list[list[Hit]] | None:
    choices: list[list[Hit]] = []
    for item in rule.items:
        hits = [hit for concept in item for hit in found.get(concept, ())[:_MAX_HITS]]
        if not hits:
            return None
        choices.append(hits)
    return choices


def _around(
    page: Page, rule: Rule, choices: list[list[Hit]], anchors: list[Hit], anchor: Hit
) -> list[Hit] | None:
    """The hits nearest to `anchor`, one of each item, or None if they stand too far apart."""
    chosen: list[Hit] = []
    for hits in choices:
        if hits is anchors:
            chosen.append(anchor)
            continue
        free = [hit for hit in hits if hit not in chosen and hit != anchor]
        if rule.ordered and chosen:
            free = [hit for hit in free if hit.start >= chosen[-1].start]
        if not free:
            return None
        chosen.append(min(free, key=lambda hit: (_distance(hit, anchor), hit.start)))
    if rule.ordered and any(a.start > b.start for a, b in pairwise(chosen)):
        return None
    if rule.tight and page.words_apart(chosen[0], chosen[1]) > rule.tight:
        return None
    ordered = sorted(chosen, key=lambda hit: hit.start)
    end = ordered[0].end
    for hit in ordered[1:]:
        if hit.start > end and page.words_between(end, hit.start) > rule.near:
            return None
        end = max(end, hit.end)
    return chosen


def _distance(one: Hit, other: Hit) -> int:
    return max(one.start - other.end, other.start - one.end, 0)


def _negated(page: Page, chosen: list[Hit], found: dict[str, list[Hit]]) -> bool:
    """Whether a negation stands just before one of the hits, in the same clause."""
    for negation in found.get("neg", ())[:_MAX_HITS]:
        if any(hit.start <= negation.start and negation.end <= hit.end for hit in chosen):
            continue
        for hit in chosen:
            if not 0 <= hit.start - negation.end <= 40:
                continue
            between = page.text[negation.end : hit.start]
            if page.words_between(negation.end, hit.start) > _NEGATION_REACH:
                continue
            if not _BREAKS.isdisjoint(between):
                continue
            if any(negation.end <= but.start <= hit.start for but in found.get("but", ())):
                continue
            return True
    return False


def _window_matches(page: Page, index: int, rules: list[Rule]) -> list[Match]:
    """Rules that hold over up to three sentences from `index` on, counting from the first hit."""
    section = page.sentences[index].section
    window = [
        found
        for found, sentence in zip(
            page.by_sentence[index : index + _WINDOW],
            page.sentences[index : index + _WINDOW],
            strict=True,
        )
        if sentence.section == section
    ]
    matches = []
    for rule in rules:
        if section not in rule.sections:
            continue
        if rule.unless and not all(rule.unless.isdisjoint(found) for found in window):
            continue
        spans = _spread(page, rule, window)
        if spans and spans[0][0] < page.sentences[index].end:
            matches.append(Match(rule, tuple(spans), section))
    return matches


def _spread(page: Page, rule: Rule, window: list[dict[str, list[Hit]]]) -> list[tuple[int, int]]:
    """A hit of each item in the window, in order of place; empty if one is missing."""
    spans: set[tuple[int, int]] = set()
    taken: set[Hit] = set()
    items = rule.items
    if rule.tight:
        pair = next((pair for found in window if (pair := _close_pair(page, rule, found))), None)
        if pair is None:
            return []
        taken.update(pair)
        spans.add((min(hit.start for hit in pair), max(hit.end for hit in pair)))
        items = items[2:]
    for item in items:
        for found in window:
            hit = _first(found, item, taken)
            if hit and not (rule.negatable and _negated(page, [hit], found)):
                taken.add(hit)
                spans.add((hit.start, hit.end))
                break
        else:
            return []
    return sorted(spans)


def _close_pair(page: Page, rule: Rule, found: dict[str, list[Hit]]) -> tuple[Hit, Hit] | None:
    """Hits of the first two items within `tight` words in one sentence."""
    first, second = (
        [hit for concept in item for hit in found.get(concept, ())[:_MAX_HITS]]
        for item in rule.items[:2]
    )
    for one in first:
        for other in second:
            if one != other and page.words_apart(one, other) <= rule.tight:
                return one, other
    return None


def _anywhere(page: Page, rule: Rule) -> Match | None:
    spans = []
    for item in rule.items:
        for index, found in enumerate(page.by_sentence):
            hit = _first(found, item, set())
            if hit is None or page.sentences[index].section not in rule.sections:
                continue
            if rule.negatable and _negated(page, [hit], found):
                continue
            spans.append((hit.start, hit.end))
            break
        else:
            return None
    return Match(rule, tuple(sorted(set(spans))), "body")


def _first(found: dict[str, list[Hit]], item: tuple[str, ...], taken: set[Hit]) -> Hit | None:
    hits = (hit for concept in item for hit in found.get(concept, ()) if hit not in taken)
    return min(hits, key=lambda hit: hit.start, default=None)
