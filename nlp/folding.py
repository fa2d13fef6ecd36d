"""Folding: what writers leave out or vary is the same to word lists.

No accents, one apostrophe, one hyphen, one script of Han, one spelling of Arabic letters. Same
length, offset for offset; applied to word lists and texts alike.
"""

import unicodedata

from nlp.language import han_to_simplified


def _folding() -> dict[int, str]:
    """One character for one: no accents, one apostrophe, one hyphen, one script of Han."""
    table: dict[int, str] = {}
    for code in [*range(0x00C0, 0x0250), *range(0x1E00, 0x1F00)]:
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base != chr(code):
            table[code] = base.lower()
    table.update(han_to_simplified())
    table.update({ord(char): "'" for char in "\u2018\u2019\u02bc\u00b4`\u2032"})
    table.update({ord(char): "-" for char in "\u2010\u2011\u2012\u2013\u2014\u2212"})
    table.update({ord(char): " " for char in "\u00a0\u2007\u202f\u3000\t*~"})
    table.update({ord("ё"): "е", ord("ø"): "o", ord("ł"): "l", ord("œ"): "œ", ord("ı"): "i"})
    table.update({ord(char): "ا" for char in "أإآٱ"})
    table.update({ord("ى"): "ي", ord("ة"): "ه", ord("ؤ"): "و", ord("ئ"): "ي"})
    return table


_FOLDING = _folding()


def fold(lowered: str) -> str:
    """Lower-case text without what writers leave out or vary; same length, offset for offset."""
    return lowered.translate(_FOLDING)
