"""A name as mail shows it, taken apart: words of the name by script, without all that decorates it.

Folds case, width, accents, optional vowels, elongation and the forms of alef; leaves out titles,
degrees, pronouns, emoji and "via NETWORK". A second form in brackets or behind a bar is kept beside
the first. Refuses to know names: no list of given names or surnames, no notion of origin, no
romanisation, no pairing of Traditional with Simplified characters.

Standards: UAX #15 (NFKC, NFKD), UAX #24 in rough ranges (which script a word is in).
Failure: none; what is no name has no words.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

_LONGEST = 160
_MOST_ATOMS = 6


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written as text."""
    return frozenset(text.split())


UNSPACED = "unspaced"
_MIXED = "mixed"
_SCRIPTS = (
    (0x0250, "latin"),
    (0x0370, "other"),
    (0x0400, "greek"),
    (0x0530, "cyrillic"),
    (0x0590, "other"),
    (0x0600, "hebrew"),
    (0x0780, "arabic"),
    (0x08A0, "other"),
    (0x0900, "arabic"),
    (0x1100, "other"),
    (0x1200, UNSPACED),
    (0x1C80, "other"),
    (0x1CC0, "cyrillic"),
    (0x1E00, "other"),
    (0x1F00, "latin"),
    (0x2000, "greek"),
    (0x3005, "other"),
    (0x3400, UNSPACED),
    (0xA000, UNSPACED),
    (0xAC00, "other"),
    (0xD7FF, UNSPACED),
    (0xF900, "other"),
    (0xFB00, UNSPACED),
)
# What a letter is folded to where Unicode gives it no plain letter and a mark.
_LETTERS = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
        "ħ": "h", "ŋ": "n", "ə": "e", "ŧ": "t", "ƙ": "k", "ɓ": "b", "ɗ": "d", "ƴ": "y",
        "ґ": "г", "ў": "у", "ٱ": "ا", "ى": "ي", "ی": "ي", "ة": "ه", "ە": "ه", "ک": "ك",
        "ہ": "ه", "ھ": "ه", "ـ": None,
    }
)  # fmt: skip
# German and Nordic writers without the keys write two letters; only what shows the mark is spelled
# out, so that nobody's "ue" is taken for one.
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})

_PARTICLES = word_set(
    """
    de del della dello degli dei di da das do dos du des d la las le les lo los e y i van von
    vom zu zum zur den der ten ter af av al el ul bin ibn bint ben ould bou ال
    """
)
_ARTICLE = "ال"
_TITLES = word_set(
    """
    dr drs dra prof professor professora profesor profesora professeur mr mrs ms miss mx madam
    herr frau fräulein mme mlle monsieur madame mademoiselle sr sra srta señor señora dott
    dottssa sig signor signora dipl dipl.-ing hanım sayın г-н г-жа господин госпожа проф
    профессор д-р دكتور الدكتور دكتورة الدكتورة أستاذ الأستاذ د
    """
)
_SUFFIXES = re.compile(
    "(?<=.)(?:先生|女士|小姐|教授|博士|老师|老師|经理|經理|さん|さま|様|殿|님|교수|박사|대표|씨)$"
)
_DEGREES = word_set(
    """
    phd ph.d dphil msc m.sc bsc b.sc meng ceng llm ll.m llb ll.b esq jr jnr snr dipl.-ing acca
    pmp cissp cism cisa frsa fcca shrm-cp shrm-scp m.a b.a m.d m.b.a
    """
)
# These are somebody's name as well: a degree only in capitals, behind two other words; of two
# letters only behind a comma.
_CAPITAL_DEGREES = word_set(
    """
    MBA CPA CFA MD MA BA MS BS JD PE RN MPH MPA MFA MPP EMBA DBA EDD FRM CAIA CFE CSM II III
    IV SPHR PHR GPHR CIPD FCIPD MBE OBE CBE PSP CPP CMC PMI ACA FCA CA LLD MEd
    """
)
_PRONOUN = (
    "she|her|hers|he|him|his|they|them|theirs|ze|hir|xe|xem|elle|elles|il|lui|iel|sie|ihr|er|ihm"
    "|ella|él|elle|ela|dela|ele|dele|lei|hon|henne|han|hun|hende|она|её|ее|он|его|她|他|any"
)
_PRONOUNS = re.compile(
    rf"(?<!\w)(?:{_PRONOUN})(?:\s*[/|,·]\s*(?:{_PRONOUN}))+(?!\w)", re.IGNORECASE
)
_ONE_PRONOUN = re.compile(rf"\s*(?:{_PRONOUN})\s*", re.IGNORECASE)
_VIA = re.compile(
    r"(?:\s|^)(?:via|through|über|per|par le biais de|à travers|a través de|através d[eoa]|tramite"
    r"|przez|через|عبر|通过|透過|通過|经由|經由)\s*\S.*$"
    r"|\s(?:on|sur|auf|bei|en|no|su|в|на|på)\s+(?:the\s+)?linkedin\b.*$"
    r"|(?:을|를)\s?통해.*$|(?:から|より|経由)$"
    r"|\s(?:at|from|chez|@)\s+\S.*$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\S+@\S+")
_NETWORK = re.compile(r"(?<!\w)(?:linkedin|领英|領英|링크드인)(?!\w)", re.IGNORECASE)
_BRACKETS = re.compile(
    r"[(\[{（【「『《〔]([^()\[\]{}（）【】「」『』《》〔〕]*)[)\]}）】」』》〕]"
)
_NICKNAME = re.compile(r"(?<=\s)[\"“”„«»‘']([^\"“”„«»]{2,30})[\"“”»’'](?=\s|$)")
_BARS = re.compile(r"\s*[|｜‖•]\s*|\s+[/–—‐-]+\s+|\s+@\s*")


@dataclass(frozen=True, slots=True)
class Form:
    """A name in one script. `words` are folded, in the order shown, without particles and initials.

    `whole` are the ways to write its parts together or apart, each in alphabetic order; `joined` is
    the name without spaces (unspaced scripts only). `others` are forms with a nickname in it.
    """

    script: str
    words: tuple[str, ...] = ()
    initials: tuple[str, ...] = ()
    whole: frozenset[tuple[str, ...]] = frozenset()
    joined: str = ""
    others: tuple["Form", ...] = ()


@lru_cache(maxsize=8192)
def forms_of(shown: str) -> tuple[Form, ...]:
    """The forms of a name, one a script, the one shown first in front."""
    text = unicodedata.normalize("NFKC", shown[:_LONGEST]).strip("\"' ")
    text = _PRONOUNS.sub(" ", _ADDRESS.sub(" ", text))
    text, aside, nicknames = _without_brackets(text)
    first, *behind = _BARS.split(_NETWORK.sub(" ", _VIA.sub(" ", text)))
    runs = _by_script(_undecorated(first))
    found = {script: _form(script, run, nicknames) for script, run in runs}
    if len(runs) > 1:
        # A given name in one script and a family name in another are one name.
        words = [word for form in found.values() for word in form.words]
        found[_MIXED] = Form(_MIXED, tuple(words), whole=frozenset({tuple(sorted(words))}))
    for other in (*aside, *behind):
        for script, run in _by_script(_undecorated(_NETWORK.sub(" ", _VIA.sub(" ", other)))):
            found.setdefault(script, _form(script, run, ()))
    return tuple(form for form in found.values() if form.words or form.joined)


def fold_word(word: str) -> str:
    """One word without case, accents, optional vowels and elongation."""
    folded = unicodedata.normalize("NFKD", word.casefold().translate(_LETTERS))
    kept = "".join(char for char in folded if not _is_mark(char))
    return unicodedata.normalize("NFC", kept).translate(_LETTERS)


def _is_mark(char: str) -> bool:
    """An accent or an optional vowel; a sign that other scripts cannot spell without stays."""
    if not unicodedata.combining(char):
        return False
    code = ord(char)
    return code < 0x0700 or 0x1AB0 <= code < 0x1B00 or 0x1DC0 <= code < 0x1E00


def _without_brackets(text: str) -> tuple[str, list[str], list[str]]:
    """The text, what brackets hold, and the single words of them that may be another given name."""
    aside: list[str] = []
    for pattern in (_BRACKETS, _NICKNAME):
        aside += [
            found for found in pattern.findall(text) if found and not _ONE_PRONOUN.fullmatch(found)
        ]
        text = pattern.sub(" ", text)
    nicknames = [one for one in aside if len(one.split()) == 1]
    return text, aside, nicknames


def _undecorated(text: str) -> list[str]:
    """The words as shown, with particles, without titles and degrees."""
    parts = [part.split() for part in text.split(",")]
    words = list(parts[0])
    for part in parts[1:]:
        if len(words) >= 2 and part and all(_is_degree(one, after_comma=True) for one in part):
            continue
        words += part
    named = [word for word in words if word.strip(".").casefold().strip(".") not in _TITLES]
    shouted = text.isupper()
    kept = list(named)
    for word in reversed(named[2:]):
        if not _is_degree(word, after_comma=False, shouted=shouted):
            break
        kept.pop()
    return kept if any(map(str.isalpha, "".join(kept))) else words


def _is_degree(word: str, *, after_comma: bool, shouted: bool = False) -> bool:
    bare = word.strip(".,;®™*")
    if bare.casefold() in _DEGREES or not any(map(str.isalpha, bare)):
        return True
    if after_comma:
        return bare.replace(".", "") in _CAPITAL_DEGREES or bare.casefold() in _TITLES
    letters = bare.replace(".", "")
    # Two capitals may be a family name that is written so: "Xiao Ming MA".
    return not shouted and letters in _CAPITAL_DEGREES and (len(letters) > 2 or letters == "II")


def _by_script(words: list[str]) -> list[tuple[str, list[str]]]:
    """Runs of words of one script, in order."""
    split = [piece for word in words for piece in _one_script(word)]
    runs: dict[str, list[str]] = {}
    for script, piece in split:
        runs.setdefault(script, []).append(piece)
    return list(runs.items())


def _one_script(word: str) -> list[tuple[str, str]]:
    """A word cut where unspaced script begins or ends: "王伟Wei"."""
    pieces = []
    for unspaced, chars in groupby(word, lambda char: char.isalpha() and _script(char) == UNSPACED):
        piece = "".join(chars)
        letter = next(filter(str.isalpha, piece), "")
        if letter:
            pieces.append((UNSPACED if unspaced else _script(letter), piece))
    return pieces


def _script(letter: str) -> str:
    code = ord(letter)
    for end, name in _SCRIPTS:
        if code < end:
            return name
    if 0xFB1D <= code < 0xFB50:
        return "hebrew"
    if code < 0xFF00:
        return "arabic"
    return UNSPACED if code >= 0x20000 else "other"


def _form(script: str, words: list[str], nicknames: list[str] | tuple[str, ...]) -> Form:
    if script == UNSPACED:
        return _unspaced(words)
    form = _spaced(script, words)
    others = [
        _spaced(script, [*words[:at], nickname, *words[at + 1 :]])
        for nickname in nicknames
        for at in dict.fromkeys((0, len(words) - 1))
        if len(words) > 1 and _script(nickname[0]) == script
    ]
    if not others:
        return form
    return Form(script, form.words, form.initials, form.whole, "", tuple(others))


def _unspaced(words: list[str]) -> Form:
    plain = [
        "".join(char for char in fold_word(word) if char.isalpha() or char in "ー々")
        for word in re.split(r"[\s・･·]+", " ".join(words))
    ]
    plain = [word for word in plain if word]
    ended = _SUFFIXES.sub("", " ".join(plain)).split()
    return Form(UNSPACED, tuple(ended), joined="".join(ended))


def _spaced(script: str, words: list[str]) -> Form:
    """Both ways to write an umlaut give ways to write the whole; the words are the plain ones."""
    plain = _atoms(words)
    whole = _ways(plain)
    spelled = [word.casefold().translate(_SPELLED) for word in words]
    if spelled != [word.casefold() for word in words]:
        whole |= _ways(_atoms(spelled))
    full, initials = [], []
    for word in plain:
        letters = [atom for atom, is_particle in word if not is_particle]
        joined = "".join(letters)
        if len(joined) == 1 or (len(letters) > 1 and all(len(atom) == 1 for atom in letters)):
            initials += letters
        elif joined:
            full.append(joined)
    return Form(script, tuple(full), tuple(initials), whole)


def _letters_only(word: str) -> str:
    """A blank for all that is neither letter nor mark; an invisible joiner goes without one."""
    return "".join(
        char if char.isalpha() or unicodedata.category(char)[0] == "M" else " "
        for char in word
        if unicodedata.category(char) != "Cf"
    )


def _atoms(words: list[str]) -> list[list[tuple[str, bool]]]:
    """Every word as its parts (by hyphen, apostrophe, point, article), particles marked."""
    found = []
    for word in words:
        atoms: list[tuple[str, bool]] = []
        for piece in _letters_only(word).split():
            folded = fold_word(piece)
            # Asked before accents go: a given name may be a particle but for its accent.
            lowered = piece.casefold()
            if folded.startswith(_ARTICLE) and len(folded) > len(_ARTICLE) + 1:
                atoms += [(_ARTICLE, True), (folded.removeprefix(_ARTICLE), False)]
            elif folded:
                atoms.append((folded, lowered in _PARTICLES))
        if atoms:
            found.append(atoms)
    plain = sum(not is_particle for atoms in found for _, is_particle in atoms)
    if plain < 2:
        # "Bin Wang", "Le Van": who leaves fewer than two words has no particles.
        return [[(atom, False) for atom, _ in atoms] for atoms in found]
    return found


def _ways(words: list[list[tuple[str, bool]]]) -> frozenset[tuple[str, ...]]:
    """All ways to write neighbouring parts together, with and without particles, sorted."""
    every = [atom for word in words for atom, _ in word]
    bare = [atom for word in words for atom, is_particle in word if not is_particle]
    found: set[tuple[str, ...]] = set()
    for atoms in (every, bare):
        if len(atoms) > _MOST_ATOMS:
            found.add(tuple(sorted("".join(atom for atom, _ in word) for word in words)))
            continue
        for cuts in range(1 << max(0, len(atoms) - 1)):
            way = [atoms[0]] if atoms else []
            for place, atom in enumerate(atoms[1:]):
                if cuts >> place & 1:
                    way.append(atom)
                else:
                    way[-1] += atom
            found.add(tuple(sorted(way)))
    return frozenset(found - {()})
