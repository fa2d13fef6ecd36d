"""What a name looks like, by structure alone: no list of names, so every naming system counts.

Spaced scripts: one to five capitalised words, particles between them, hyphens, apostrophes and
initials inside. Han, kana and Hangul: a short run. Arabic and Persian: one to four words.
"""

import re
from itertools import groupby


def _upper_case_class() -> str:
    """Capitals of Latin, Greek, Cyrillic, Armenian as the inside of a character class."""
    codes = [code for code in range(0x41, 0x1F00) if chr(code).isupper()]
    runs = (list(run) for _, run in groupby(enumerate(codes), lambda item: item[1] - item[0]))
    return "".join(f"{chr(run[0][1])}-{chr(run[-1][1])}" for run in runs)


UPPER = _upper_case_class()
_PARTICLES = (
    "de|da|do|dos|das|del|della|di|la|le|van|von|der|den|ten|ter|zu|bin|bint|ibn|ben|al|el|af|av|st"
)
_WORD = rf"[{UPPER}](?:\.|(?:[^\W\d_]|['’‑-](?=[^\W\d_])){{0,24}})"
# Romanised prefixes such as "al-" may stand in lower case before the capital.
_PREFIXED = rf"(?:(?:al|el|d|o|ad|as|an)[-'’])?{_WORD}"
LATIN_NAME = rf"{_PREFIXED}(?: (?:(?:{_PARTICLES}) ){{0,2}}{_PREFIXED}){{0,4}}"
LATIN_FULL_NAME = rf"{_PREFIXED}(?: (?:(?:{_PARTICLES}) ){{0,2}}{_PREFIXED}){{1,4}}"
HAN = r"\u3400-\u9fff"
HAN_NAME = rf"[{HAN}]{{2,4}}"
HANGUL_NAME = r"[\uac00-\ud7a3]{2,4}"
_ARABIC_WORD = r"[\u0621-\u063a\u0641-\u064a\u066e-\u06d3\u200c]{2,14}"
ARABIC_NAME = rf"{_ARABIC_WORD}(?: {_ARABIC_WORD}){{0,2}}"

_LATIN_LINE = re.compile(rf"{LATIN_NAME}")
_SMALL_LINE = re.compile(r"[^\W\d_A-Z]{2,20}(?: [^\W\d_A-Z]{2,20})?")
_EASTERN_LINE = re.compile(
    rf"(?:[{HAN}]{{2,4}}|[{HAN}]{{1,2}} [{HAN}]{{1,2}}|[{HAN}\u3041-\u30ff]{{2,6}} ?[{HAN}\u3041-\u30ff]{{0,5}}"
    rf"|[\uac00-\ud7a3]{{2,4}}|[\uac00-\ud7a3]{{1,2}} [\uac00-\ud7a3]{{1,3}}|{_ARABIC_WORD}(?: {_ARABIC_WORD}){{0,3}})"
)


def is_name_line(line: str) -> bool:
    """Whether a whole line can be nothing but a name with capitals or in an Eastern script."""
    return bool(_LATIN_LINE.fullmatch(line) or _EASTERN_LINE.fullmatch(line))


def is_small_name_line(line: str) -> bool:
    """Whether a line is one or two words in lower case, as people sign on a phone."""
    return _SMALL_LINE.fullmatch(line) is not None
