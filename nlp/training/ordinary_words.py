"""Writes the list of ordinary words: what a letter uses anyway is no name of an account.

`python -m nlp.training.ordinary_words`. A word counts that letters of two cases at least use in
small ASCII letters, in train or dev; twins share a case, so that a user name of theirs stays out.
"""

import re
from collections import defaultdict
from importlib.resources import files
from pathlib import Path
from typing import Final

from nlp import lexicon
from nlp.training.corpus import TrainingMail, read_corpus

_WORD: Final = re.compile(r"(?<![\w@.#/_~-])[a-z]{4,}(?![\w@#/_~-]|\.\w)")
_HEAD: Final = """\
# Words of ordinary letters, written by `python -m nlp.training.ordinary_words` from the train and dev
# corpus of this project: words of at least four ASCII letters that occur in more than one case.
words = '''
"""
_WIDTH: Final = 110


def main() -> None:
    """Write `nlp/lexicon/ordinary_words.toml`."""
    cases: dict[str, set[str]] = defaultdict(set)
    for mail in read_corpus("train", "dev"):
        for word in _words(mail):
            cases[word].add(mail.case)
    words = sorted(word for word, of_it in cases.items() if len(of_it) > 1)
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) >= _WIDTH:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    path = Path(str(files(lexicon).joinpath("ordinary_words.toml")))
    path.write_text(_HEAD + "\n".join(lines) + "\n'''\n", "utf-8")
    print(f"wrote {len(words)} words")


def _words(mail: TrainingMail) -> set[str]:
    text = mail.body.text
    for span in mail.body.spans:
        if span.is_entity:
            text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
    return set(_WORD.findall(text))


if __name__ == "__main__":
    main()
