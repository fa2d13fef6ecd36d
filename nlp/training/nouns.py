"""German nouns, which have a capital as names have: `python -m nlp.training.nouns` writes lexicon/nouns.txt.

From the masked train and dev mails: a capitalised word that several writers put an article, a
possessive or the like before. A name seldom has one; what the recognisers know as a name is
masked here as it is in service.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Final

from nlp import pipeline
from nlp.entities import find_entities
from nlp.entities.services import SERVICES
from nlp.training.corpus import TrainingMail, read_corpus
from nlp.training.everyday import BRANDS

FILE: Final = Path(__file__).parents[1] / "lexicon" / "nouns.txt"
_WRITERS: Final = 2
_ONE_OF: Final = 3
_PARTS_OF_A_NAME: Final = (2, 3)
_BEFORE: Final = re.compile(
    r"(?<![^\W\d_])(?:d(?:er|ie|as|en|em|es)|(?:k?ein|[mds]ein|ihr|unser|euer|eur|dies|jed|jen|welch|manch|all|viel|wenig)(?:e[nmrs]?)?"
    r"|[iaw]m|zu[mr]|vom|beim|[ia]ns|fürs|pro|ohne|kein|zwei|drei|vier|mehrere|einige|paar) "
    r"(?:[a-zäöüß]+e[nmrs]? )?$|\d ?$"
    r"|(?<![^\W\d_])(?:an|auf|aus|bei|bis|durch|für|gegen|in|mit|nach|seit|über|um|unter|von|vor|wegen|zu|zwischen) "
    r"[a-zäöüß]+e[nmrs]? $",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"(?<![\w@./#-])[A-ZÄÖÜ][a-zäöüß]{2,}(?![\w@])")
_REACH: Final = 40


def nouns_of(mails: Iterable[TrainingMail]) -> list[str]:
    """What is led as a noun by several writers, in one of three mails; no service, nobody's name."""
    mails = list(mails)
    names = _names(mails)
    led: dict[str, set[str]] = defaultdict(set)
    led_mails: dict[str, int] = defaultdict(int)
    having: dict[str, int] = defaultdict(int)
    for mail in mails:
        if not mail.language.startswith("de"):
            continue
        text = _masked_text(mail)
        words: dict[str, bool] = {}
        for match in _WORD.finditer(text):
            before = text[max(0, match.start() - _REACH) : match.start()]
            word = match.group().lower()
            words[word] = words.get(word, False) or _BEFORE.search(before) is not None
        for word, is_led in words.items():
            having[word] += 1
            if is_led:
                led[word].add(mail.writer)
                led_mails[word] += 1
    return sorted(
        word
        for word, writers in led.items()
        if len(writers) >= _WRITERS
        and led_mails[word] * _ONE_OF >= having[word]
        and word not in names
    )


def _names(mails: Iterable[TrainingMail]) -> set[str]:
    """Words that are names of services, and of people as they show themselves: "Rolf Huber"."""
    shown = [
        mail.name.split()
        for mail in mails
        if len(mail.name.split()) in _PARTS_OF_A_NAME and mail.name.replace(" ", "").isalpha()
    ]
    services = [form for service in SERVICES.values() for form in service.forms]
    return {word.lower() for word in (*chain.from_iterable(shown), *services, *BRANDS)}


def _masked_text(mail: TrainingMail) -> str:
    body = mail.body_alone
    stretches, _ = pipeline._masked(body.segments, find_entities(body))
    return "\n".join(stretch.masked.spelled for stretch in stretches)


if __name__ == "__main__":
    FILE.write_text("\n".join(nouns_of(read_corpus("train", "dev"))) + "\n", "utf-8")
