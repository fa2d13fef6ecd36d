"""What a name looks like, by structure alone: no list of given names, so every naming system counts.

Spaced scripts: one to five capitalised words, particles between them, hyphens, apostrophes and
initials inside. Han, kana and Hangul: a short run, parts of foreign names joined by a middle dot or
a space. Arabic and Persian: one to four words. `NAME` takes any of them: a lead in one language
introduces names of all scripts.
"""

import re
from itertools import groupby


def _upper_case_class() -> str:
    """Capitals of Latin, Greek, Cyrillic, Armenian as the inside of a character class."""
    codes = [code for code in range(0x41, 0x1F00) if chr(code).isupper()]
    runs = (list(run) for _, run in groupby(enumerate(codes), lambda item: item[1] - item[0]))
    return "".join(f"{chr(run[0][1])}-{chr(run[-1][1])}" for run in runs)


UPPER = _upper_case_class()
# A letter of a spaced script.
LETTER = r"[^\W\d_\u0590-\u10ff\u3041-\u9fff\uac00-\ud7a3]"
PARTICLES = (
    "de|da|do|dos|das|del|della|di|la|le|van|von|der|den|ten|ter|zu|bin|bint|ibn|ben|al|el|af|av|st"
    "|ould|abu|umm|мак|фон|ван|де|аль|ибн|оглы|кызы"
)
_WORD = rf"[{UPPER}](?:\.|(?:{LETTER}|['’‑-](?={LETTER})){{0,24}})"
# Romanised prefixes such as "al-" may stand in lower case before the capital.
_PREFIXED = rf"(?:(?:al|el|d|o|ad|as|an|аль|эль|ад|ас)[-'’])?{_WORD}"
HAN = r"\u3400-\u9fff"
HAN_NAME = rf"[{HAN}]{{2,4}}"
HANGUL = r"\uac00-\ud7a3"
HANGUL_NAME = rf"[{HANGUL}]{{2,4}}"
ARABIC_WORD = r"[\u0621-\u063a\u0641-\u064a\u066e-\u06d3\u064b-\u0652\u200c]{2,16}"
ARABIC_NAME = rf"{ARABIC_WORD}(?: {ARABIC_WORD}){{0,3}}"
_DOT = "[·•・‧]"
# Names in a script without capitals, where the text around is in another script.
EASTERN_RUN = (
    rf"(?:[{HAN}\u3041-\u30ff]{{1,6}}(?:(?: |{_DOT})[{HAN}\u3041-\u30ff]{{1,6}}){{0,3}}"
    rf"|[{HANGUL}]{{2,5}}(?: [{HANGUL}]{{1,5}}){{0,2}}|{ARABIC_NAME})"
)
LATIN_NAME = rf"{_PREFIXED}(?: (?:(?:{PARTICLES}) ){{0,2}}{_PREFIXED}){{0,4}}"
LATIN_FULL_NAME = rf"{_PREFIXED}(?: (?:(?:{PARTICLES}) ){{0,2}}{_PREFIXED}){{1,4}}"
# Where a surname comes first, its particles do: "de la Cruz Ximena".
LED_NAME = rf"(?:(?:{PARTICLES}) ){{0,2}}{LATIN_NAME}"
NAME = rf"(?:{LED_NAME}(?: {EASTERN_RUN})?|{EASTERN_RUN}(?: {LATIN_NAME})?)"
FULL_NAME = rf"(?:{LATIN_FULL_NAME}|(?:(?:{PARTICLES}) ){{1,2}}{LATIN_FULL_NAME}|{EASTERN_RUN})"
# Foreign names in Han: parts joined by a dot, any length; else two to four characters.
HAN_ANY = rf"(?:[{HAN}]{{1,8}}(?:{_DOT}[{HAN}]{{1,8}}){{1,3}}|[{HAN}]{{2,4}})"
HANGUL_ANY = rf"[{HANGUL}]{{2,6}}(?: [{HANGUL}]{{1,6}}){{0,2}}"

_LATIN_LINE = re.compile(rf"{LED_NAME}(?: {EASTERN_RUN}| \({EASTERN_RUN}\))?")
_SMALL_LINE = re.compile(r"[^\W\d_A-Z]{2,20}(?: [^\W\d_A-Z]{2,20})?")
_EASTERN_LINE = re.compile(
    rf"(?:[{HAN}]{{2,4}}|[{HAN}]{{1,2}} [{HAN}]{{1,2}}|[{HAN}]{{1,8}}(?:{_DOT}[{HAN}]{{1,8}}){{1,3}}"
    rf"|[{HAN}]{{0,3}} ?[\u3041-\u30ff]{{2,8}}(?:[ ・][\u3041-\u30ff]{{1,8}})?"
    rf"|[{HANGUL}]{{2,5}}(?: [{HANGUL}]{{1,6}}){{0,2}}|{ARABIC_NAME})(?: {LATIN_NAME}| \({LATIN_NAME}\))?"
)


def is_name_line(line: str) -> bool:
    """Whether a whole line can be nothing but a name with capitals or in an Eastern script."""
    return bool(_LATIN_LINE.fullmatch(line) or _EASTERN_LINE.fullmatch(line))


def is_small_name_line(line: str) -> bool:
    """Whether a line is one or two words in lower case, as people sign on a phone."""
    return _SMALL_LINE.fullmatch(line) is not None
