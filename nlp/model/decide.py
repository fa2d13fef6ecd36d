"""What the model heard in sentences becomes one decision a label, as the rules give them.

Failure: none; a column whose label is unknown here is left out.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from nlp.analysis import IntentLabel
from nlp.intents.decide import Decision, merged
from nlp.intents.grammar import grammar

if TYPE_CHECKING:
    from nlp.components.model import Heard

_MAX_SPANS: Final = 8
_LABELS: Final = frozenset(IntentLabel)


def decided(heard: "Heard", facts: frozenset[str], *, is_report: bool = False) -> list[Decision]:
    """Labels in the order of the closed list, the strongest of each; `facts` as for the rules.

    Who reports or warns (`is_report`) does none of what lures do.
    """
    decisions: dict[IntentLabel, Decision] = {}
    for said in heard.said:
        name, _, attribute = said.name.partition(".")
        if name not in _LABELS:
            continue
        label = IntentLabel(name)
        if is_report and label in grammar().lure:
            continue
        decision = decisions.setdefault(label, Decision(label, 0))
        decision.strength = max(decision.strength, said.strength)
        decision.spans.append(said.span)
        if attribute:
            decision.attributes.add(attribute)
        elif label is IntentLabel.OFFPLATFORM:
            decision.attributes.update(_ways(facts))
    return list(_settled(decisions))


def _ways(facts: frozenset[str]) -> Iterator[str]:
    yield "handle" if facts & {"handle", "signature_handle"} else "no_handle"
    if "obfuscated" in facts:
        yield "obfuscated"


def _settled(decisions: dict[IntentLabel, Decision]) -> Iterator[Decision]:
    for label in IntentLabel:
        if decision := decisions.get(label):
            if decision.attributes & {"handle", "no_handle"}:
                # An official line is one only if nothing else asks to leave for another channel.
                decision.attributes.discard("scheduling")
            decision.spans = merged(decision.spans)[:_MAX_SPANS]
            yield decision
