"""Words of any script: Han, kana and Hangul characters and masked tokens stand alone.

Runs of one punctuation mark are one token, so that no input makes tokenising quadratic (spaCy's
own rules are, on brackets). The text of the document is the text given, character for character.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import registry
from spacy.vocab import Vocab

NAME = "lurewall.words.v1"

_PIECE = re.compile(
    r"[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]{1,64}"
    r"|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\ue000-\uf8ff]"
    r"|\s+"
    r"|(.)\1*",
    re.DOTALL,
)


class WordTokenizer:
    """Callable from text to document, as spaCy wants it; it has no state to save."""

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        words: list[str] = []
        spaces: list[bool] = []
        for match in _PIECE.finditer(text):
            piece = match.group()
            if piece == " " and words and not spaces[-1]:
                spaces[-1] = True
            else:
                words.append(piece)
                spaces.append(False)
        return Doc(self.vocab, words=words, spaces=spaces)

    def to_bytes(self, **_: Any) -> bytes:
        return b""

    def from_bytes(self, _data: bytes, **_: Any) -> "WordTokenizer":
        return self

    def to_disk(self, _path: str | Path, **_: Any) -> None:
        return None

    def from_disk(self, _path: str | Path, **_: Any) -> "WordTokenizer":
        return self


@registry.tokenizers(NAME)  # type: ignore[untyped-decorator]
def create_tokenizer() -> Callable[[Language], WordTokenizer]:
    """The tokenizer for a pipeline's vocabulary."""
    return lambda nlp: WordTokenizer(nlp.vocab)
