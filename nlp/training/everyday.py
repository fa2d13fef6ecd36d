"""Words that people write small: `python -m nlp.training.everyday` writes lexicon/everyday.txt.

From the train and dev mails, languages with capitals only. A capitalised word that is not among
them may be somebody's name; what the recognisers of people and firms make of that is theirs.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from nlp.training.corpus import TrainingMail, read_corpus

FILE: Final = Path(__file__).parents[1] / "lexicon" / "everyday.txt"
# No part of an address or a user name.
_WORD: Final = re.compile(r"(?<![\w@./#-])[^\W\d_]+(?:['’-][^\W\d_]+)*(?![\w@])")
_JOINT: Final = re.compile(r"['’-]")
_SEVERAL: Final = 3  # else the names of hurried people would be words
_SHARE: Final = 4
# Firms that people write small, or name with an article, as if they were none.
BRANDS: Final = (
    "google",
    "microsoft",
    "windows",
    "linkedin",
    "xing",
    "amazon",
    "apple",
    "facebook",
    "bosch",
    "siemens",
)


def everyday_words(mails: Iterable[TrainingMail]) -> list[str]:
    """Those that several mails write small, and at least one of five that have them; no brand."""
    small: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    for mail in mails:
        words = set(_WORD.findall(f"{mail.subject.text}\n{mail.body.text}"))
        words.update(piece for word in tuple(words) for piece in _JOINT.split(word))
        small.update(word for word in words if word.islower())
        capital.update({word.lower() for word in words if word[:1].isupper()})
    return sorted(
        word
        for word, count in small.items()
        if count >= _SEVERAL and count * _SHARE >= capital[word] and word not in BRANDS
    )


if __name__ == "__main__":
    FILE.write_text("\n".join(everyday_words(read_corpus("train", "dev"))) + "\n", "utf-8")
