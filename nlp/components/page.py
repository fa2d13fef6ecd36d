"""Reads the page of a document: sentences of any script, and where each concept stands."""

from bisect import bisect_left

from spacy.attrs import IDX
from spacy.language import Language
from spacy.tokens import Doc

from nlp.intents.concepts import read_page
from nlp.intents.terms import word_list

NAME = "lurewall_page"

if not Doc.has_extension("page"):
    Doc.set_extension("page", default=None)


@Language.component(NAME, assigns=["doc._.page", "token.is_sent_start"])
def read(doc: Doc) -> Doc:
    """Set `doc._.page` and the sentence starts."""
    text = doc.text
    sections = doc.user_data.get("sections", (("body", 0, len(text)),))
    languages = doc.user_data.get("languages", ("en",))
    names = doc.user_data.get("names", ())
    page = read_page(text, sections, [word_list(name) for name in languages], names)
    page.language = next((name for name in languages if name != "any"), page.language)
    page.capitals = doc.user_data.get("capitals", ())
    page.spelled = doc.user_data.get("spelled", text)
    _start_sentences(doc, [sentence.start for sentence in page.sentences])
    doc._.page = page
    return doc


def _start_sentences(doc: Doc, starts: list[int]) -> None:
    """Mark the first token of each sentence; setting every token would ask each about the whole."""
    places = doc.to_array(IDX).tolist()
    first = {bisect_left(places, start) for start in starts} | {0}
    for index in sorted(first):
        if index < len(doc):
            doc[index].is_sent_start = True
