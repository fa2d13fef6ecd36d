"""What the language analysis said, in the gateway's own values.

`nlp` has result types of its own; `check/language.py` translates them into these, so that nothing
else in the gateway knows `nlp`. Label and type names are those of the scan contract (lower case).
"""

from dataclasses import dataclass

from milter.mail.finding import Evidence, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One intent with its strength (1 weak, 2 plain), attributes and the spans that show it."""

    label: str
    strength: int
    evidence: tuple[Evidence, ...]
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity; `value` is normalised, `platform` the service id or ''.

    `is_vague`: it names nobody ("a partner of ours").
    """

    type: str
    text: str
    value: str
    platform: str
    source: Source
    part: str
    start: int
    end: int
    is_vague: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Language, intents and entities of one message.

    `sketch` are the bands of a MinHash over the masked text: texts that share some are near
    duplicates. `shape` is the order of intents and kinds of entities, the same in every language.
    `words` are the words of the newest text that few texts have, folded, names left out.
    `announces`: the writer says that somebody else will get in touch.
    """

    language: str
    intents: tuple[Intent, ...] = ()
    entities: tuple[Entity, ...] = ()
    model_version: str = ""
    likeness: float | None = None
    sketch: tuple[str, ...] = ()
    shape: str = ""
    words: tuple[str, ...] = ()
    announces: bool = False
    truncated: bool = False
    elapsed_seconds: float = 0.0
