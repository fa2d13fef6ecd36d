"""Short cuts for tests of the recognisers."""

from nlp.analysis import EntityResult, EntityType, LinkText, ReadableText, TextSegment
from nlp.entities import find_entities


def readable(
    *texts: str, links: tuple[LinkText, ...] = (), names: tuple[str, ...] = ()
) -> ReadableText:
    """The first text is the body, the second the signature."""
    sources = ("body", "signature", "attachment", "subject")
    segments = tuple(
        TextSegment(source=source, part="1", text=text)
        for source, text in zip(sources, texts, strict=False)
    )
    return ReadableText(segments=segments, links=links, names=names)


def entities(*texts: str) -> tuple[EntityResult, ...]:
    return find_entities(readable(*texts))


def values(type_: EntityType, *texts: str) -> list[str]:
    return [entity.value for entity in entities(*texts) if entity.type == type_]


def texts_of(type_: EntityType, *texts: str) -> list[str]:
    return [entity.span.text for entity in entities(*texts) if entity.type == type_]


def flags_of(type_: EntityType, *texts: str) -> list[tuple[str, ...]]:
    return [entity.flags for entity in entities(*texts) if entity.type == type_]
