"""spaCy's own classifiers on the words of the masked text: a bag of words, and the ensemble.

A blank pipeline "xx" for all languages; its documents are made of the words that the linear models
have, since "xx" cannot cut Chinese. Epochs are few and fixed, so are the seeds of spaCy and of the
order.
"""

import random
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import fix_random_seed

from bench.designs.reading import Split

LURE: Final = "LURE"
_BATCH: Final = 32
_DROPPED: Final = 0.2
_SEED: Final = 0
_BAG: Final = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": True,
    "ngram_size": 3,
    "no_output_layer": False,
    "length": 262_144,
}
MODELS: Final[dict[str, dict[str, Any]]] = {
    "bag": _BAG,
    "ensemble": {
        "@architectures": "spacy.TextCatEnsemble.v2",
        "linear_model": _BAG,
        "tok2vec": {
            "@architectures": "spacy.Tok2Vec.v2",
            "embed": {
                "@architectures": "spacy.MultiHashEmbed.v2",
                "width": 64,
                "attrs": ["NORM", "PREFIX", "SUFFIX"],
                "rows": [10_000, 2_000, 2_000],
                "include_static_vectors": False,
            },
            "encode": {
                "@architectures": "spacy.MaxoutWindowEncoder.v2",
                "width": 64,
                "window_size": 1,
                "maxout_pieces": 3,
                "depth": 2,
            },
        },
    },
}
EPOCHS: Final = {"bag": 20, "ensemble": 6}


def unseen(
    kind: str, texts: Sequence[str], truth: "np.ndarray[Any, Any]", split: Split
) -> tuple["np.ndarray[Any, Any]", Any]:
    """Probabilities for mails of writers left out, and the pipeline that gave them."""
    learnt, left_out = split
    nlp = trained(kind, [texts[place] for place in learnt], truth[learnt].tolist())
    return np.array([probability(nlp, texts[place]) for place in left_out]), nlp


def trained(kind: str, texts: Sequence[str], truth: Sequence[bool]) -> Any:
    """A pipeline that has learnt from these."""
    fix_random_seed(_SEED)
    order = random.Random(_SEED)
    nlp = spacy.blank("xx")
    nlp.add_pipe("textcat", config={"model": MODELS[kind]})
    learnt = [
        Example.from_dict(
            document(nlp, text), {"cats": {LURE: float(is_lure), "HONEST": float(not is_lure)}}
        )
        for text, is_lure in zip(texts, truth, strict=True)
    ]
    optimizer = nlp.initialize(lambda: learnt)
    for _ in range(EPOCHS[kind]):
        order.shuffle(learnt)
        for start in range(0, len(learnt), _BATCH):
            nlp.update(learnt[start : start + _BATCH], sgd=optimizer, drop=_DROPPED)
    return nlp


def document(nlp: Any, text: str) -> Doc:
    """A document of words that blanks set apart."""
    return Doc(nlp.vocab, words=text.split(" "))


def probability(nlp: Any, text: str) -> float:
    """What it says of one mail."""
    return float(nlp(document(nlp, text)).cats[LURE])
