"""Short and colloquial names of services that what stands around them makes a channel.

"WA", "dc", "sig", "insta", "телега" are letters, places and nouns elsewhere; with a handle, a
number, an address or a link of the service right behind, or a group of it before, they are names.
One rule for all of them: which service it is, and in which script it is written, plays no part.
"""

import re

from nlp import lexicon
from nlp.entities.channel_words import NUMBER_WORDS
from nlp.entities.handle_shapes import is_uncommon, likeness
from nlp.entities.passage import Hit, Passage
from nlp.entities.services import SERVICES, link_target

_CONTEXT = lexicon.read("platforms")["context"]
_NOT_HANDLES = frozenset(_CONTEXT["not_handles"])

_BEHIND = re.compile(
    r"[ -]?(?:id|dms?|msgs?|inbox|me|我|群里?|群裡?|私[我訊信]|[發发傳传找]|號|号)?"
    r"(?P<gap>[ \t]?[:：(=,;—–→\[-]{0,2}[ \t]?)"
    r"(?:(?:at|as|unter|als|como|comme|под|en|sous|on|also|aussi|auch|también|também|тоже|também)\s:?\s?)?(?P<at>@)?"
)
_TOKEN = re.compile(r"~?[a-z0-9_][a-z0-9_.#-]{2,40}(?<![.-])(?![a-z0-9_@])")
_NUMBER = re.compile(r"\(?\+?(?:\d[ ().\-/–]{0,2}){7,15}(?![\d%])(?!\d|[.,:]\d)")
_LONG_NUMBER, _CODE = 9, re.compile(r"\d{5,11}(?![\d.,]|\s?[元个個只名年月日])")
_LINK = re.compile(r"[\s:(—–-]{1,3}(?P<url>(?:https?://)?[a-z0-9.-]+\.[a-z]{2,8}/\S+)")
_SAME = re.compile(
    r"\s(?:is\s|ist\s|est\s)?(?:the\s|le\s|la\s|el\s|o\s|der\s|die\s)?(?:same|même|idem|gleiche|mismo|mesmo|тот же|نفس)(?![^\W_])"
)
_OWN_NAME = re.compile(
    r"[,;:]?\s(?:my|mein|mon|mi|meu|мой|моя)\s(?:id|nick\w*|user ?name|user|handle|kennung|nutzername|pseudo|identifiant|usuario|usuário|ник|логин|айди)\b"
)
_GROUP_BEFORE = re.compile(
    r"(?<![^\W_])(?:groupes?|grupos?|gruppe|group|groups|chats?|list|liste|lista|чат\w*|групп\w*|канал\w*|جروب|قروب|مجموعة|كروب)"
    r"\s(?:de\s|do\s|da\s|du\s|del\s|on\s|in\s|в\s|على\s)?$"
)
_ADDRESS_BEHIND = re.compile(r"[\s:(,]{1,3}[a-z0-9_.+-]{2,40}@")
_ADDRESS_BEFORE = re.compile(r"@[a-z0-9.-]+\.[a-z]{2,6}\s?\($")
# "Seattle, WA 98101": a place has a capital before it.
_PLACE_BEFORE = re.compile(r"[^\W\d_a-z][\w.'’]+,? $")
_CALL = re.compile(r"[(\[*&]|\s?[=<>]|->")
_NAME_BEFORE = re.compile(
    r"(?<![a-z0-9@._-])(?P<name>[a-z0-9][a-z0-9_.#]{2,30})\s(?:on|over|via|auf|bei|sur|en|no|na|por|в|на|على)\s$"
)
_TO_ME = re.compile(r"\s?(?:转|轉|发|發|傳|传|敲|戳|找|加|聯絡|联系)我")
_GROUPED_LEAST = 3
_MADE = 2
_PLAIN_SIGNS = frozenset({"", ":", "：", "(", "=", "—", "–"})
# Words of the languages themselves: they need a name that can be nothing else.
_WORDS = NUMBER_WORDS | {"x", "face", "dis", "sig", "tele", "disc", "snap", "signal"}


def offers_contact(passage: Passage, hit: Hit) -> bool:
    """Whether the doubtful name at `hit` has a handle, number, address or link of its own."""
    folded = passage.folded
    service = SERVICES[hit.key]
    written = folded[hit.start : hit.end]
    if service.kind == "mail":
        return bool(
            _ADDRESS_BEHIND.match(folded, hit.end)
            or _ADDRESS_BEFORE.search(folded, max(0, hit.start - 48), hit.start)
        )
    if written == "v":
        return False  # a variable: `platforms` knows when it is WeChat
    is_word = written in _WORDS or (len(written) == 1 and written.isascii())
    if not is_word and (
        _OWN_NAME.match(folded, hit.end)
        or _TO_ME.match(folded, hit.end)
        or _is_named_before(passage, hit)
        or _SAME.match(folded, hit.end)
        or (
            hit.end - hit.start >= _GROUPED_LEAST
            and _GROUP_BEFORE.search(folded, max(0, hit.start - 24), hit.start)
        )
    ):
        return True
    if (link := _LINK.match(folded, hit.end)) and (target := link_target(link["url"])):
        return target.service == hit.key
    behind = _BEHIND.match(folded, hit.end)
    return behind is not None and _has_name(passage, hit, behind, is_word=is_word)


def _is_named_before(passage: Passage, hit: Hit) -> bool:
    """ "find mira_k8 on tg"."""
    named = _NAME_BEFORE.search(passage.folded, max(0, hit.start - 40), hit.start)
    return named is not None and likeness(passage.text[slice(*named.span("name"))]) == _MADE


def _has_name(passage: Passage, hit: Hit, behind: re.Match[str], *, is_word: bool) -> bool:
    folded = passage.folded
    written, at = folded[hit.start : hit.end], behind.end()
    is_joined = behind.end() == hit.end
    if is_joined and written[-1].isascii():
        return False
    sign = behind["gap"].strip()
    signed = bool(sign)
    is_short = written.isascii() and hit.end - hit.start < _GROUPED_LEAST
    # "(fb, start_of_row)" is a list of variables.
    if sign not in _PLAIN_SIGNS and (is_word or (is_short and not behind["at"])):
        return False
    if (token := _TOKEN.match(folded, at)) and token.group() not in _NOT_HANDLES:
        if behind["at"]:
            return written != "x" or passage.text[hit.start] == "X"
        if written == "x":
            return False
        like = likeness(passage.text[at : token.end()])
        if (
            is_joined
            and "-" in token.group()
            and is_uncommon(passage.text[at : token.end()], among_latin=True)
        ):
            return True
        if (like == _MADE and not _CALL.match(folded, token.end())) or (
            like == 1 and signed and not is_word
        ):
            return True
        if (
            sign == "("
            and not is_word
            and folded[token.end() : token.end() + 1] == ")"
            and is_uncommon(passage.text[at : token.end()], among_latin=True)
        ):
            return True
    if is_word or _PLACE_BEFORE.search(passage.text, max(0, hit.start - 24), hit.start):
        return False
    return _has_number(folded, hit, at, signed=signed)


def _has_number(folded: str, hit: Hit, at: int, *, signed: bool) -> bool:
    service = SERVICES[hit.key]
    if service.kind != "messenger" or folded[hit.start : hit.end] in NUMBER_WORDS:
        return False
    if service.codes and (folded[hit.start] >= "\u2e80" or signed) and _CODE.match(folded, at):
        return True
    number = _NUMBER.match(folded, at)
    if number is None:
        return False
    digits = sum(char.isdigit() for char in number.group())
    return (
        signed or "+" in number.group() or digits >= _LONG_NUMBER or folded[hit.end - 1] >= "\u0590"
    )
