"""Words that many letters have: `python -m nlp.training.common_words` writes lexicon/common.txt.

From the masked train mails, as `nlp.sketch` sees them: words of spaced scripts, the first two
syllables of Korean words, pairs of Han characters. A word is common that is in at least one of
`_ONE_OF` cases of its language; twins share a case. Whatever else a text says is rare enough that
two texts which share some of it are about the same thing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from nlp.entities import find_entities
from nlp.pipeline import masked_words
from nlp.sketch import topics
from nlp.training.corpus import TrainingMail, read_corpus

FILE: Final = Path(__file__).parents[1] / "lexicon" / "common.txt"
_ONE_OF: Final = 250
_CASES: Final = 3


def common_words(mails: Iterable[TrainingMail]) -> list[str]:
    """Those that enough cases of one language have."""
    cases: dict[str, set[str]] = defaultdict(set)
    having: dict[tuple[str, str], set[str]] = defaultdict(set)
    for mail in mails:
        language = mail.language[:2]
        cases[language].add(mail.case)
        for word in _words(mail):
            having[language, word].add(mail.case)
    counts: Counter[str] = Counter()
    for (language, word), found in having.items():
        if len(found) >= max(_CASES, len(cases[language]) / _ONE_OF):
            counts[word] += 1
    return sorted(counts)


def _words(mail: TrainingMail) -> set[str]:
    body = mail.body_alone
    return set(topics(masked_words(body, find_entities(body))))


if __name__ == "__main__":
    FILE.write_text("\n".join(common_words(read_corpus("train"))) + "\n", "utf-8")
