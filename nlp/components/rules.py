"""Applies the grammar: one span group of its own, so that a model's spans never mix with these."""

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components import page as _page  # noqa: F401 (registers doc._.page)
from nlp.intents.grammar import apply_rules

NAME = "lurewall_rules"
RULES = "rules"

if not Doc.has_extension("matches"):
    Doc.set_extension("matches", default=())


@Language.component(NAME, requires=["doc._.page"], assigns=["doc._.matches", "doc.spans"])
def apply(doc: Doc) -> Doc:
    """Set `doc._.matches`, and `doc.spans["rules"]` with a span for each."""
    matches = apply_rules(doc._.page)
    doc._.matches = tuple(matches)
    doc.spans[RULES] = [
        span
        for match in matches
        for start, end in match.spans
        if (span := doc.char_span(start, end, label=match.rule.label, alignment_mode="expand"))
    ]
    return doc
