"""What the model may judge: words that mails share, and what share of them a lure has at least.

The shares are those of lures by writers left out (four folds), so that they hold for writers who
are not in the corpus at all. Failure: none.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.model_selection import GroupKFold

from nlp.model.familiar import Familiar, Share, smoothed
from nlp.training.corpus import LURE_CLASSES
from nlp.training.examples import MailExample

_FOLDS: Final = 4
_SHARED_BY: Final = 2
# So many of the lures may have less: they are left to the rules.
_LEFT_OUT: Final = 0.02


def familiar_of(read: Sequence[MailExample]) -> Familiar:
    """Learnt from all mails."""
    texts = [_words(mail) for mail in read]
    known = np.zeros(len(read), dtype=np.int64)
    groups = [mail.mail.writer for mail in read]
    for seen, unseen in GroupKFold(_FOLDS).split(texts, groups=groups):
        shared = _shared([texts[place] for place in seen])
        for place in unseen:
            known[place] = len(texts[place] & shared)
    counts = np.array([len(text) for text in texts])
    languages = np.array([mail.mail.language[:2] for mail in read])
    is_lure = np.array([mail.mail.mail_class in LURE_CLASSES for mail in read])
    shares = {}
    for language in sorted(set(languages.tolist())):
        here = is_lure & (languages == language) & (counts > 0)
        usual = float(known[here].sum() / counts[here].sum())
        smooth = [
            smoothed(int(one), int(of), usual)
            for one, of in zip(known[here], counts[here], strict=True)
        ]
        shares[language] = Share(round(usual, 4), round(float(np.quantile(smooth, _LEFT_OUT)), 4))
    return Familiar(_shared(texts), shares)


def _words(mail: MailExample) -> frozenset[str]:
    """The different words of a mail; runs of words have blanks, masked ones brackets."""
    return frozenset(run for run in mail.blocks[0] if " " not in run and run[0] != "<")


def _shared(texts: Sequence[frozenset[str]]) -> frozenset[str]:
    seen = Counter(word for text in texts for word in text)
    return frozenset(word for word, count in seen.items() if count >= _SHARED_BY)
