"""Names by their place in a letter: the line that greets, the lines that sign.

Where a name stands in a letter does not depend on its language or script, so this finds all of them
alike: under a closing word, alone at the top of the last lines, behind the last full stop, before
the first comma.
"""

import re
from collections.abc import Iterator

from nlp import lexicon
from nlp.entities.eastern import starts_like_a_name
from nlp.entities.everyday import FUNCTION, is_everyday
from nlp.entities.names import (
    ARABIC_NAME,
    EASTERN_RUN,
    HAN,
    HAN_ANY,
    HANGUL,
    HANGUL_ANY,
    LATIN_NAME,
    LED_NAME,
    NAME,
    UPPER,
    is_name_line,
    is_small_name_line,
)
from nlp.entities.plain_words import is_plain

_SIGN_OFFS = frozenset(
    phrase for phrases in lexicon.read("entities")["sign_off"].values() for phrase in phrases
)
_LONGEST_SIGN_OFF = max(map(len, _SIGN_OFFS)) + 4
_TITLES = frozenset(lexicon.read("entities")["lead"]["addressed"])
_LONG_LINE = 64
_MOST_LINES = 7
_LAST_BLOCKS = 3
_SHORT_LINE, _FEW_WORDS = 28, 3
_SENTENCE_ENDS = frozenset(".!?…:;)。！？,")

_SIGNED_INLINE = re.compile(
    rf"[ \t]*(?:(?i:best|regards|thanks|cheers|sincerely|cordialement|saludos|gruß|abraços|с уважением)[,.]? |[-–—]{{1,2}} ?)(?P<name>{NAME})[ \t]*"
)
_SIGNED_SUFFIX = re.compile(r"[ \t]*(?:敬上|谨上|謹上|敬启|拜上|드림|올림|배상)$")
_NAME_PART = re.compile(r"[^\n|,(<:;،，（]{1,48}")
_DASHES = re.compile(r"^[ \t>*_]*(?:[-–—]{1,3}[ \t]*)?")
_OPENED = re.compile(
    rf"[ \t>]*(?P<name>{LED_NAME}|{EASTERN_RUN})(?=[ \t]*(?:[,،，:：！]|!(?= \S)|[–—-] |$))",
    re.MULTILINE,
)
# "Reza, Agnieszka: ...": two are greeted.
_SECOND = re.compile(rf",? (?P<name>[{UPPER}][^\W\d_]{{2,16}})(?=: |, [^\W\d_A-Z])")
_BEHIND_LAST = re.compile(
    rf"(?:[.!?…:;)»\"”؟。！？]|\d)[ \t]+[–—-]*[ \t]*(?P<name>{LED_NAME}|{EASTERN_RUN})[ \t.]*$"
    rf"|[。！？；](?P<han>{HAN_ANY}|{LED_NAME}|[{HANGUL}]{{2,5}}(?: [{HANGUL}]{{1,5}})?|{ARABIC_NAME})[ \t]*$"
)
# "Registry  NAME": a house or an office, then who signs for it.
_FOR_OFFICE = re.compile(
    rf"[ \t—–-]*(?:[{HAN}]{{2,14}}[ \t](?P<han>{HAN_ANY}|[{HAN}]|{LATIN_NAME})"
    rf"|[{HANGUL}A-Za-z]{{2,12}}[ \t](?P<hangul>{HANGUL_ANY}))[ \t.]*"
)
_OFFICE_AND_NAME = re.compile(
    rf"[ \t—–-]*(?:[{HAN}]{{1,12}}[部处處室组組社院所会會站局科队隊团團] (?P<name>{HAN_ANY}|[{HAN}])"
    rf"|[{HANGUL}]{{1,10}}[단팀국부처회실과사소원] (?P<name2>{HANGUL_ANY}))[ \t.]*"
)
_OFFICE = re.compile(
    rf"[{HAN}]*(?:[部处處室组組社院所司行会會站局科署队隊团團厂廠店]|公司|大学|大學|编辑|中心|基金|敬礼|敬禮|商祺|谢谢|謝謝|祝好|盼复|盼覆|致敬|同上|此复|再见|晚安|您好|你好|各位)"
    rf"|[{HANGUL} ]*(?:다|요|팀|부|과|실|국|처|소|원|회|포럼|드림|올림|까요|니다|안내|문의)"
)
_ARABIC_OFFICE = re.compile(
    r"(?:^|.* )(?:قسم|مدير|مديرة|مركز|فريق|شركة|جامعة|معهد|مكتب|وحدة|إدارة|رئيس|رئيسة|مع|تحياتي|شكرا|شكراً|والسلام|وتفضلوا|السلام|الى|إلى|في|من)(?: .*|$)"
)
_HAN_START = re.compile(rf"[{HAN}]")
_SPACED = re.compile(rf"[{UPPER}]")
_WORD = re.compile(r"[^\W\d_]+(?:['’.-]+[^\W\d_]+)*")


def could_be_name(name: str) -> bool:
    """Whether a run of name shape has a word that is no everyday word, office or sign-off."""
    lowered = name.lower()
    if lowered in _SIGN_OFFS:
        return False
    words = _WORD.findall(name)
    if not words:
        return False
    if _SPACED.match(name):
        return words[0].lower() not in FUNCTION and not all(map(is_everyday, words))
    if _ARABIC_OFFICE.fullmatch(name):
        return False
    return _OFFICE.fullmatch(name) is None


def _stands_for_somebody(name: str) -> bool:
    """Whether a run that stands where people sign, or are greeted, can be a name."""
    if not could_be_name(name) or is_plain(name, is_due=False):
        return False
    return not _is_body(name)


def _is_body(name: str) -> bool:
    """Whether a part of a house signs: "Comissão de Seleção", "Conselho Editorial"."""
    words = name.split(" ")
    if len(words) < 2 or not _SPACED.match(name) or not is_everyday(words[0]):
        return False
    return any(word.islower() or is_everyday(word) for word in words[1:])


def greeted_alone(text: str) -> Iterator[tuple[int, int]]:
    """ "Rohan," at the top: a name and nothing else before the first comma."""
    stripped = text.lstrip()
    at = len(text) - len(stripped)
    if match := _OPENED.match(text, at):
        name = match["name"]
        start = match.start("name")
        first = name.split(" ")[0]
        while " " in name and is_everyday(first) and first.lower() in _TITLES:
            start += len(first) + 1
            name = name[len(first) + 1 :]
            first = name.split(" ")[0]
        second = _SECOND.match(text, match.end()) if name[0].isupper() and name.isalpha() else None
        if second and not is_everyday(second["name"]):
            yield second.span("name")
        if _is_eastern_sentence(name):
            return
        if _stands_for_somebody(name) and not any(map(is_everyday, _WORD.findall(name))):
            yield start, start + len(name)


def _is_eastern_sentence(name: str) -> bool:
    """Whether a run of a script without capitals is too long for a name that stands alone."""
    if _SPACED.match(name):
        return False
    if name.startswith("يا "):
        return True  # "يا عدنان": `eastern` knows where the name begins
    if _HAN_START.match(name):
        return not starts_like_a_name(name)
    if name.endswith(("님", "씨", "께")):
        return True  # a form of address: `eastern` knows where the name ends
    return name.count(" ") > 1


def signed(text: str, is_signature: bool) -> Iterator[tuple[int, int]]:
    """Names under closing words, on a line of their own, first in a signature, at the very end."""
    yield from _under_closing_words(text, is_signature)
    last = _last_lines(text)
    top = len(text) - len(text.lstrip())
    for start, line, opens in last:
        if start > top and opens and len(line) <= _LONG_LINE:
            yield from _on_line(start, line)
    if last:
        start, line, opens = last[-1]
        if not opens and start > top:
            yield from _alone_at_the_end(text, start, line)
        tail = max(0, len(line) - _LONG_LINE)
        if match := _OFFICE_AND_NAME.fullmatch(line):
            group = "name" if match["name"] else "name2"
            if not is_plain(match[group], is_due=False):
                yield start + match.start(group), start + match.end(group)
        elif match := _BEHIND_LAST.search(line, tail):
            group = "name" if match["name"] else "han"
            if _stands_for_somebody(match[group]):
                yield start + match.start(group), start + match.end(group)


def _alone_at_the_end(text: str, start: int, line: str) -> Iterator[tuple[int, int]]:
    """ "... tomorrow.\nRen": the last line under a sentence."""
    name = line.strip(" .-–—\t")
    above = text[:start].rstrip()
    if len(name) > _SHORT_LINE or not name or above[-1:] not in _SENTENCE_ENDS:
        return
    is_short = _SPACED.match(name) is not None and name.count(" ") < _FEW_WORDS
    if is_short and is_name_line(name) and _stands_for_somebody(name):
        at = start + line.index(name)
        yield at, at + len(name)


def _on_line(start: int, line: str) -> Iterator[tuple[int, int]]:
    if match := _FOR_OFFICE.fullmatch(line):
        group = "han" if match["han"] else "hangul"
        if _stands_for_somebody(match[group]):
            yield start + match.start(group), start + match.end(group)
            return
    head = _DASHES.match(line)
    at = head.end() if head else 0
    if part := _NAME_PART.match(line, at):
        name = _SIGNED_SUFFIX.sub("", part.group().rstrip(" .-–—\t"))
        is_whole = len(name) >= len(line.strip(" .-–—\t"))
        if _HAN_START.match(name) and not (is_whole or starts_like_a_name(name)):
            return
        if is_name_line(name) and _stands_for_somebody(name):
            yield start + at, start + at + len(name)


def _last_lines(text: str) -> list[tuple[int, str, bool]]:
    """The last lines with text: where each begins, and whether it is the first of its block."""
    lines: list[tuple[int, str, bool]] = []
    end = len(text.rstrip())
    blocks = 0
    while end > 0 and len(lines) < _MOST_LINES and blocks < _LAST_BLOCKS:
        start = text.rfind("\n", 0, end) + 1
        before = text[:start].rstrip(" \t")
        opens = start == 0 or before.endswith("\n\n") or not before.strip()
        lines.append((start, text[start:end], opens))
        if opens:
            blocks += 1
        end = len(text[:start].rstrip())
    if lines and not lines[-1][2] and len(lines) < _MOST_LINES:
        lines[-1] = (*lines[-1][:2], True)
    # A line above a short one may open a signature, too, if what is before it is a sentence.
    return lines[::-1]


def _under_closing_words(text: str, is_signature: bool) -> Iterator[tuple[int, int]]:
    start = 0
    expected = is_signature
    small = False
    for line in text.split("\n"):
        body = line.strip(" \t,!.،。;:-–—")
        if body:
            if len(body) <= _LONGEST_SIGN_OFF and body.lower() in _SIGN_OFFS:
                expected = small = True
            else:
                if len(line) <= _LONG_LINE and (match := _SIGNED_INLINE.fullmatch(line)):
                    yield start + match.start("name"), start + match.end("name")
                elif expected and (part := _NAME_PART.search(line[:_LONG_LINE])):
                    name = _SIGNED_SUFFIX.sub("", part.group().rstrip(" .-–—\t")).lstrip()
                    at = start + line.index(name)
                    if (is_name_line(name) and not _is_body(name)) or (
                        small and is_small_name_line(name)
                    ):
                        yield at, at + len(name)
                expected = small = False
        start += len(line) + 1
