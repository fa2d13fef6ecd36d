"""All lexicon phrases of the recognisers in one automaton: one pass a segment.

Kinds: platform, platform_common, platform_slang (key: service id), scheme, number (key: digits or
a mark of dictation), and every table of `entities.toml` under its own name.
"""

from collections.abc import Iterator
from functools import lru_cache
from unicodedata import normalize

from nlp import lexicon
from nlp.words import PhraseMatcher

# Marks among the keys of kind `number`.
PLUS, DOUBLE, TRIPLE = "+", "x2", "x3"
_MARKS = (("plus", PLUS), ("double", DOUBLE), ("triple", TRIPLE), ("hundred", "00"))


@lru_cache(maxsize=1)
def vocabulary() -> PhraseMatcher[tuple[str, str]]:
    """The automaton over (kind, key), built at first use."""
    return PhraseMatcher([*_platforms(), *_numbers(), *_tables()])


def _platforms() -> Iterator[tuple[str, tuple[str, str]]]:
    schemes = {"tel", "mailto"}
    for service in lexicon.read("platforms")["service"]:
        id_ = service["id"]
        for name in service.get("names", ()):
            # Texts are looked up in NFKC, which changes Hangul letters that stand alone.
            yield normalize("NFKC", name), ("platform", id_)
        for name in {form.lower() for form in service.get("common", ())}:
            yield name, ("platform_common", id_)
        for name in service.get("slang", ()):
            yield name, ("platform_slang", id_)
        schemes.update(scheme for scheme, _ in service.get("schemes", ()))
    for scheme in sorted(schemes):
        yield f"{scheme}:", ("scheme", scheme)


def _numbers() -> Iterator[tuple[str, tuple[str, str]]]:
    for table in lexicon.read("number_words").values():
        if table.get("run_together"):
            continue  # single characters: `spoken` has a pattern for them
        units = [row.split("|") for row in table["units"]]
        tens = [row.split("|") for row in table["tens"]]
        for value, forms in enumerate(units):
            for form in forms:
                yield form, ("number", str(value))
        for offset, row in enumerate(table["teens"]):
            for form in row.split("|"):
                yield form, ("number", str(10 + offset))
        for offset, forms in enumerate(tens):
            for form in forms:
                yield form, ("number", str(10 * (offset + 2)))
                if compound := table.get("compound"):
                    for unit, unit_forms in enumerate(units[1:], start=1):
                        for unit_form in unit_forms:
                            word = compound.format(unit=unit_form, ten=form)
                            yield word, ("number", str(10 * (offset + 2) + unit))
        for mark, key in _MARKS:
            for form in table.get(mark, ()):
                yield form, ("number", key)


def _tables() -> Iterator[tuple[str, tuple[str, str]]]:
    for phrase in lexicon.read("money")["coined"]["words"]:
        yield phrase, ("coined", phrase)
    for kind, table in lexicon.read("entities").items():
        for key, phrases in table.items():
            for phrase in phrases:
                yield phrase, (kind, key)
