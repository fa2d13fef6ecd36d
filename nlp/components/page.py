"""Reads the page of a document: sentences of any script, and where each concept stands."""

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
    starts = iter([sentence.start for sentence in page.sentences])
    following = next(starts, None)
    for token in doc:
        begins = following is not None and token.idx >= following
        token.is_sent_start = begins or token.i == 0
        while following is not None and token.idx >= following:
            following = next(starts, None)
    doc._.page = page
    return doc
