"""People: display names, introductions, forms of address, the name under a letter.

Rules of structure in every supported language; a name is never looked up and nothing is guessed
from it. What is found serves masking and correlation, never a score.
"""

import re
from collections.abc import Iterator, Sequence

from nlp import lexicon
from nlp.analysis import EntityResult, EntityType
from nlp.entities.names import (
    ARABIC_NAME,
    HAN_NAME,
    HANGUL_NAME,
    LATIN_FULL_NAME,
    LATIN_NAME,
    is_name_line,
    is_small_name_line,
)
from nlp.entities.passage import Passage

_MAX_NAMES = 30
_SIGN_OFFS = frozenset(lexicon.read("entities")["sign_off"]["any"])
_LONGEST_SIGN_OFF = max(map(len, _SIGN_OFFS)) + 4

# What follows a lead of `entities.toml`, by the kind of lead.
_AFTER_LEAD = {
    "introduced": re.compile(rf"(?: is| est| ist| es| é)?,? (?P<name>{LATIN_NAME})"),
    "i_am": re.compile(
        rf" (?P<name>{LATIN_FULL_NAME}|{LATIN_NAME}(?=,? (?:from|with|of|at|and I|de chez|du|von|vom|bei|de la|del|da|из|от)\b))"
    ),
    "addressed": re.compile(rf"\.? (?P<name>(?:(?:Dr|Prof|Ing)\.? )?{LATIN_NAME})"),
    "greeted": re.compile(rf",? (?P<name>{LATIN_NAME})(?=[,!.:;\s–—-]|$)"),
}
_LINE_START = re.compile(r"(?:^|\n)[ \t>]*$")
_NOT_NAMES = frozenset(
    [
        "all",
        "team",
        "colleague",
        "colleagues",
        "sir",
        "madam",
        "everyone",
        "friend",
        "friends",
        "customer",
        "client",
        "candidate",
        "hiring",
        "manager",
        "professor",
        "doctor",
        "recruiter",
        "there",
        "partner",
        "member",
        "user",
        "participant",
        "students",
        "student",
        "reader",
        "author",
        "editor",
        "monsieur",
        "madame",
        "tous",
        "toutes",
        "équipe",
        "damen",
        "herren",
        "kollegen",
        "kollege",
        "kollegin",
        "todos",
        "equipo",
        "equipe",
        "senhor",
        "senhora",
        "коллеги",
        "коллега",
        "друзья",
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "the",
        "we",
        "our",
        "please",
        "thank",
        "thanks",
        "best",
        "regards",
        "happy",
        "interested",
        "available",
        "sorry",
        "sure",
        "writing",
        "currently",
        "looking",
        "glad",
        "pleased",
        "excited",
        "consultant",
    ]
)

_HAN = (
    re.compile(
        rf"(?:我叫|我的名字是|本人姓名|姓名[:是]|我是(?=[\u3400-\u9fff]{{2,4}}[,，.。!;]))(?P<name>{HAN_NAME}?)(?=[,，.。!;、:\s(]|$|是|来自|來自|在)"
    ),
    re.compile(
        r"(?<![\u3400-\u9fff])(?:尊敬的|亲爱的|親愛的)?(?P<name>[\u3400-\u9fff]{1,3}?)(?=先生|女士|小姐|老师|老師|教授|博士|总监|经理|工[,:，]|总[,:，]|您好|你好)"
    ),
    re.compile(
        rf"^[ \t]*(?P<name>{HAN_NAME}?)[ \t]*(?:敬上|谨上|謹上|上|敬启|拜上)[ \t]*$", re.MULTILINE
    ),
)
_KANA = (
    re.compile(
        r"(?P<name>[\u3400-\u9fff]{1,4}(?:[ ]?[\u3041-\u30ff\u3400-\u9fff]{1,4})?)(?=と申します|様(?:$|[,、\s]))"
    ),
)
_HANGUL = (
    re.compile(
        rf"(?:제 이름은 |저는 |이름은 )(?P<name>{HANGUL_NAME}?)(?=입니다|이라고|라고|이고|이며|예요|이에요)"
    ),
    re.compile(
        rf"(?<![\uac00-\ud7a3])(?P<name>{HANGUL_NAME}?) ?(?:님(?=[,께의 !.]|$)|씨(?=[,께의 !.]|$)|선생님|교수님|박사님|부장님|대리님|팀장님)"
    ),
    re.compile(rf"^[ \t]*(?P<name>{HANGUL_NAME}) ?(?:드림|올림|배상)[ \t.]*$", re.MULTILINE),
)
_ARABIC = (
    re.compile(
        rf"(?:اسمي|أنا|انا|معك|معكم)\s(?P<name>{ARABIC_NAME}?)(?=[،,.:\n]|\sمن\s|\sو|\sأعمل|\sمدير|\sمستشار|$)"
    ),
    re.compile(
        rf"(?:السيدة|السيد|الأستاذة|الأستاذ|الدكتورة|الدكتور|عزيزتي|عزيزي|د\.|أ\.)\s(?P<name>{ARABIC_NAME}?)(?=[،,.:\n!]|\sتحية|\sالسلام|$)"
    ),
)
_BY_SCRIPT = {"han": _HAN, "kana": _KANA, "hangul": _HANGUL, "arabic": _ARABIC}

_SIGNED_INLINE = re.compile(
    rf"[ \t]*(?:(?i:best|regards|thanks|cheers|sincerely|cordialement|saludos|gruß|abraços|с уважением)[,.]? |[-–—]{{1,2}} ?)(?P<name>{LATIN_NAME})[ \t]*"
)
_SIGNED_SUFFIX = re.compile(r"[ \t]*(?:敬上|谨上|謹上|敬启|拜上|드림|올림|배상)$")
_NAME_PART = re.compile(r"[^\n|,(<:;،]{2,40}")
_TRAILING_PARTICLE = re.compile(r"(?:\s+(?:de|da|do|du|of|from|von|vom|at|di|la|le))+$")
_RELAYED = re.compile(r"\s+(?:via|through|über|par)\s.*$")
_POST_NOMINAL = re.compile(r",\s.*$|\s*\(.*$")


def find_people(
    passage: Passage, names: Sequence[str] = (), stops: Sequence[int] = ()
) -> list[EntityResult]:
    """PERSON entities; `names` are display names from the header, found wherever they recur.

    A name ends where one of `stops` (starts of organisations) begins.
    """
    text = passage.text
    spans = [*_after_leads(passage), *_at_line_ends(text, passage.segment.source == "signature")]
    for script in passage.scripts & _BY_SCRIPT.keys():
        for pattern in _BY_SCRIPT[script]:
            spans += [match.span("name") for match in pattern.finditer(text)]
    for name in list(names)[:_MAX_NAMES]:
        spans += _recurring(passage.folded, person_value(name))
    results = []
    for start, end in dict.fromkeys(_cut(text, span, stops) for span in spans):
        words = text[start:end].lower().split()
        is_one_letter = len(words) == 1 and len(words[0].strip(".")) == 1 and words[0].isascii()
        if words and words[0].strip(".") not in _NOT_NAMES and not is_one_letter:
            value = person_value(text[start:end])
            results.append(passage.entity(EntityType.PERSON, start, end, value))
    return results


def person_value(name: str) -> str:
    """A name without the marks around it: quotes, "via ..." of a relay, post-nominals."""
    name = _RELAYED.sub("", name.strip()[:200].strip("\"'“”«»"))
    return _POST_NOMINAL.sub("", name).strip().lower()


def _after_leads(passage: Passage) -> Iterator[tuple[int, int]]:
    for hit in passage.hits("lead"):
        pattern = _AFTER_LEAD.get(hit.key)
        if pattern is None or (hit.key == "addressed" and passage.text[hit.start].islower()):
            continue
        if hit.start and passage.text[hit.start - 1] == ".":
            continue  # "a.m." is no Monsieur
        if hit.key == "greeted" and not _LINE_START.search(
            passage.text, max(0, hit.start - 8), hit.start
        ):
            continue
        if match := pattern.match(passage.text, hit.end):
            yield match.span("name")


def _at_line_ends(text: str, is_signature: bool) -> Iterator[tuple[int, int]]:
    """Names under closing words, on a line of their own, or first in a signature."""
    start = 0
    expected = is_signature
    small = False
    for line in text.split("\n"):
        body = line.strip(" \t,!.،。;:-–—")
        if body:
            if len(body) <= _LONGEST_SIGN_OFF and body.lower() in _SIGN_OFFS:
                expected = small = True
            else:
                if len(line) <= 60 and (match := _SIGNED_INLINE.fullmatch(line)):
                    yield start + match.start("name"), start + match.end("name")
                elif expected and (part := _NAME_PART.search(line[:64])):
                    name = _SIGNED_SUFFIX.sub("", part.group().rstrip(" .-–—\t")).lstrip()
                    at = start + line.index(name)
                    if is_name_line(name) or (small and is_small_name_line(name)):
                        yield at, at + len(name)
                expected = small = False
        start += len(line) + 1


def _cut(text: str, span: tuple[int, int], stops: Sequence[int]) -> tuple[int, int]:
    start, end = span
    end = min([end, *(stop for stop in stops if start < stop < end)])
    name = _TRAILING_PARTICLE.sub("", text[start:end].rstrip())
    if name[-1:] == "." and name[-3:-2].isalpha():
        name = name[:-1]  # the full stop of the sentence, not of an initial
    return start, start + len(name)


def _recurring(folded: str, name: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at = folded.find(name) if len(name) >= 2 else -1
    while at != -1 and len(spans) < _MAX_NAMES:
        end = at + len(name)
        if not (_is_spaced(folded[at - 1 : at]) or _is_spaced(folded[end : end + 1])):
            spans.append((at, end))
        at = folded.find(name, end)
    return spans


def _is_spaced(char: str) -> bool:
    return char.isalpha() and char < "\u0590"
