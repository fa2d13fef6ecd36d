"""Names that a text offers on a service: right behind its name, before it, or by a cue near it.

One set of rules for all services: whether a service allows the name plays a part only where the
words around it leave a doubt, for people mistype and rules change. Shapes with digits, low lines or
dots need little ("hugo73 (Signal)", "Signal for the big files, hugo.73"); a plain word needs a
label or a cue such as "search for", an end right behind it, and must be none that letters use.
"""

import re

from nlp import lexicon
from nlp.entities.cues import Cues
from nlp.entities.dictated import dictated_handle
from nlp.entities.handle_shapes import FoundHandle, fits, is_uncommon, likeness, takes_names
from nlp.entities.passage import Passage
from nlp.entities.services import Service, alternatives

_CONTEXT = lexicon.read("platforms")["context"]
_NOT_HANDLES = frozenset(_CONTEXT["not_handles"])
_REACH, _LATER_REACH = 88, 240

_ID_WORDS = (
    r"user ?name|user ?id|user|nick(?:name)?|id|handle|account|contact|number|name|nummer|kennung|konto|benutzername|nutzername|"
    r"identifiant|pseudo(?:nyme)?|compte|num[ée]ro|usuario|cuenta|usu[áa]rio|utilizador|conta|ник(?:нейм)?|аккаунт|логин|номер|"
    r"아이디|계정|사용자 ?명|사용자 이름|닉네임|번호|账号|帐号|帳號|用户名|用戶名|昵称|暱稱|号码|號碼|号|號|用户名|معر[ّ]?ف[ي]?|حساب[ي]?|اسم المستخدم|المعرف"
)
# Between a name and its handle: "WeChat ID:", "Telegram username is", "微信号是", "카톡 아이디는".
_BETWEEN = re.compile(
    rf"(?P<id>[ -]?(?:{_ID_WORDS})(?!(?<=[a-z])[a-z0-9_#])(?:\s(?:number|id|name))?)?"
    r"(?P<sign>\s*(?:[:=]|->|=>|→)\s*|\s(?:is|ist|est|es|é|это|هو|هي|[-–—])\s|\s?[是为為는은]\s?)?[\s(,\"'`«“]{0,2}"
)
_COLONS = frozenset({":", "=", "->", "=>", "→"})
_NAME_LABELS = frozenset(
    {"id", "username", "user name", "handle", "nick", "nickname", "pseudo", "ник"}
)
_AHEAD = re.compile(
    r"(?P<at>@)?(?P<handle>(?:live:)?[~a-z0-9_*][a-z0-9_.:#~-]{1,65})(?![a-z0-9_@ß-ɏ])"
)
# A label or a possessive before the name of the service: "my username on", "معرفي في", "Mon pseudo".
_OWNED = re.compile(
    rf"(?:(?<![^\W_])(?:{_ID_WORDS}|{alternatives(_CONTEXT['possessives'])})|[我您你]的)\s?"
    r"(?:(?:on|for|in|at|sur|de|en|auf|bei|no|do|na|в|على|في)\s)?$"
)
_TOKEN = re.compile(
    r"(?<![a-z0-9_@./#+~-])(?P<at>@)?(?P<handle>~?[a-z0-9*_][a-z0-9_.#*-]{2,65})(?![a-z0-9_@/ß-ɏ]|:[a-z0-9])"
)
_SENTENCE_END = re.compile(
    r"[.!;](?=\s|$)|[。!;](?=[^\x00-\x7f]|$)|\n[ \t]*\n|\n[ \t]*[-•*>]"
)  # what stands behind a semicolon or on the next line may be cued still: see `_cued`
_SIGN_BEFORE = re.compile(r"(?:[,:(=?、]|->|=>|→)\s?[\"'`«“]?$")
_CUES = Cues(
    [*_CONTEXT["name_cues"], *_CONTEXT["plain_cues"]],
    [*_CONTEXT["name_cues_joined"], *_CONTEXT["plain_cues_joined"]],
)
_PLAIN_CUES = Cues(_CONTEXT["plain_cues"], _CONTEXT["plain_cues_joined"])
_ADJACENT = re.compile(r"[\s:(,\"'`–—-]{0,4}")
_THERE = re.compile(r"\s(?:there|dort|là|ahí|allí|lá|там|هناك)\b")
_NUMBERED = re.compile(r"[#.]\d{2,}\Z")
_IN_FLOW = re.compile(r"[a-zß-ÿ]\s\Z")
_TRAILING = re.compile(rf"\s?(?:{alternatives(_CONTEXT['trailing_cues'])})")
# Where a plain word may end to be a name and not the start of a phrase.
_ENDS = re.compile(
    r"[\"'`»”]?\s*(?:$|\n|[.,;:)\]!?|/&(]|[^\x00-\x7f])|\s(?:there|dort|là|ahí|allí|lá|and|und|et|y|e|or|oder|ou|o|please|bitte|so|then|instead|in the search|in der suche|dans la)\b|\s[-–(]"
)
_JOINT_BEFORE = re.compile(
    r"(?<![a-z0-9@._/-])(?P<at>@)?(?P<handle>[a-z0-9_][a-z0-9_.#-]{2,31})[\"'`»”]?(?P<joint>\s?\(\s?|"
    r"\s(?:(?:there|over|up)\s)?(?:on|over|via|through|in|at|sur|par|auf|über|per|bei|en|por|no|na|pelo|pela|de|в|во|через|на|على|عبر|في)\s"
    r"(?:the\s|my\s|le\s|la\s|mon\s|meinem\s|mi\s|meu\s|o\s)?|\s?[-–/|:,]\s?)$"
)
_GLUE = frozenset({"", "发", "發", "传", "傳", "找", "加", "給", "给"})
_OPENED = {"(": ")", '"': '"', "'": "'", "`": "`", "«": "»", "“": "”", "「": "」"}
_REST_OF_LINE = re.compile(
    r"(?:\s?[-–—/|·:=→]\s?|\s?->\s?|[ \t])(?P<name>[\"'`«“]?@?(?P<handle>~?[a-z0-9_][a-z0-9_.#-]{2,40}))[\"'`»”]?[ \t]*(?=\n|$)"
)
_CONTACT_LINE = re.compile(r"\w@\w|\d[\d ().-]{6,}\d|https?:|www\.")
_LINE_START = re.compile(r"(?:^|\n)[ \t>•*-]*(?:[^\W\d_]+\s?:\s?)?$")


def offered_name(
    passage: Passage, service: Service, start: int, at: int, stop: int, *, sure: bool
) -> FoundHandle | None:
    """The name offered on `service`, which stands at view[start:], its chain of names up to `at`.

    `stop` is where the next service is named. Where it is not `sure` that the word is the service,
    a plain word counts only behind a preposition or possessive.
    """
    if not takes_names(service):
        return None
    owned = _OWNED.search(passage.folded, max(0, start - 32), start) is not None
    sure = sure or owned
    if name := _behind(passage, service, at, owned=owned, sure=sure) or _on_a_line(
        passage, service, start, at, sure=sure
    ):
        return name
    before = _before(passage, service, start, sure=sure)
    near = nearby_handle(passage, service, at, stop, sure=sure)
    # "WeChat lan_88, LINE mira.k": what stands before belongs to another service.
    is_next = near is not None and _ADJACENT.fullmatch(passage.folded, at, near.start)
    return near if is_next else before or near


def _on_a_line(
    passage: Passage, service: Service, start: int, at: int, *, sure: bool
) -> FoundHandle | None:
    """ "Telegram / quietharbour" or "Contact: WhatsApp - ..." as a line of its own, as in signatures."""
    match = _REST_OF_LINE.match(passage.folded, at)
    if match is None or match["handle"] in _NOT_HANDLES:
        return None
    first, end = match.span("handle")
    by_blank = passage.folded[at:first].isspace()
    if by_blank or likeness(passage.text[first:end], codes=service.codes) == 0:
        begins = _LINE_START.search(passage.folded, max(0, start - 24), start) is not None
        if not begins or not is_uncommon(passage.text[first:end], among_latin=not passage.scripts):
            return None
    if not sure and not _among_contacts(passage.folded, start, end):
        return None
    return FoundHandle(match.start("name"), end, service.id, f"{service.id}:{match['handle']}")


def _among_contacts(folded: str, start: int, end: int) -> bool:
    """Whether the lines before and behind hold an address or a number too."""
    first = folded.rfind("\n", max(0, start - 160), start)
    before = folded[
        max(0, folded.rfind("\n", max(0, first - 120), max(0, first)), first - 120) : max(0, first)
    ]
    last = folded.find("\n", end, end + 80)
    after = folded[last : last + 100].strip("\n").partition("\n")[0] if last != -1 else ""
    return any(_CONTACT_LINE.search(line) for line in (before, after))


def _behind(
    passage: Passage, service: Service, at: int, *, owned: bool, sure: bool
) -> FoundHandle | None:
    folded = passage.folded
    between = _BETWEEN.match(folded, at)
    assert between is not None  # every part of the pattern may be empty
    ahead = _AHEAD.match(folded, between.end())
    if ahead is None or (between.end() == at and folded[at - 1].isascii() and not ahead["at"]):
        return None
    written = ahead["handle"].rstrip(".:-")
    start = ahead.start("handle")
    end = start + len(written)
    if written in _NOT_HANDLES or not _may_be_name(service, written, between["id"]):
        return None
    sign = (between["sign"] or "").strip()
    if ahead["at"] or _is_marked(written):
        # "Session ID" is a word of computing.
        label = between["id"] or ""
        trusted = sure or (label != "" and not (service.codes and label.isascii()))
        allowed = fits(service, written) or (trusted and _is_made(passage, service, start, end))
    else:
        # A plain word: only a label ("ID: lan") or a sign with nothing behind makes it a handle.
        labelled = between["id"] is not None or owned
        named = (between["id"] or "").strip(" -") in _NAME_LABELS
        allowed = (
            (bool(sign) or named)
            and (sure or labelled)
            and (sign in _COLONS or labelled)
            and is_plain_name(passage, start, end, loose=labelled and sign in _COLONS)
        )
    if not allowed:
        return None
    return FoundHandle(
        start - bool(ahead["at"]), end, service.id, f"{service.id}:{written.lstrip('~')}"
    )


def _before(passage: Passage, service: Service, at: int, *, sure: bool) -> FoundHandle | None:
    folded = passage.folded
    match = _JOINT_BEFORE.search(folded, max(0, at - 52), at)
    if match is None or match["handle"] in _NOT_HANDLES:
        return None
    start, end = match.span("handle")
    like = likeness(passage.text[start:end], codes=service.codes)
    led = is_led(folded, max(0, match.start() - 32), match.start())
    begins = _LINE_START.search(folded, max(0, match.start() - 24), match.start()) is not None
    bracket = match["joint"].strip() == "("
    if like == 2 or bool(match["at"]):
        accepted = sure or led or begins or bracket
    elif like == 1:
        accepted = led or begins or (sure and bracket)
    else:
        cued = _PLAIN_CUES.end_at(folded, match.start())
        by_preposition = match["joint"].replace(" ", "").isalpha()
        accepted = (
            is_uncommon(passage.text[start:end], among_latin=not passage.scripts)
            and by_preposition
            and (cued or (begins and sure))
        )
    if not accepted:
        return None
    return FoundHandle(match.start(), end, service.id, f"{service.id}:{match['handle']}")


def nearby_handle(
    passage: Passage, service: Service, at: int, stop: int, *, sure: bool = False
) -> FoundHandle | None:
    """The first handle of `service` between `at` and `stop` in the same sentence, or None."""
    folded = passage.folded
    limit = min(stop, at + _REACH, len(folded))
    if sentence := _SENTENCE_END.search(folded, at, limit):
        limit = sentence.start()
    if said := dictated_handle(passage, at, limit):
        start, end, written = said
        if is_led(folded, at, start) and (fits(service, written) or sure):
            return FoundHandle(start, end, service.id, f"{service.id}:{written}", obfuscated=True)
    for token in _TOKEN.finditer(folded, at, min(len(folded), limit + 68)):
        if token.start() >= limit:
            break
        start = token.start("handle")
        written = folded[start : token.end()].rstrip(".#-")
        end = start + len(written)
        if written not in _NOT_HANDLES and _is_offered(passage, service, at, token, end, sure=sure):
            value = f"{service.id}:{written.lstrip('~')}"
            return FoundHandle(token.start(), end, service.id, value)
    return None


def later_handle(passage: Passage, service: Service, at: int, stop: int) -> FoundHandle | None:
    """A made name in one of the next sentences, by a cue: "We are on Discord. I am mira_k there."."""
    folded = passage.folded
    limit = min(stop, at + _LATER_REACH, len(folded))
    for token in _TOKEN.finditer(folded, at, limit):
        start = token.start("handle")
        written = folded[start : token.end()].rstrip(".#-")
        end = start + len(written)
        like = likeness(passage.text[start:end], codes=service.codes)
        # CROSS_COMPILE is a constant of a program.
        if (
            like == 0
            or passage.text[start:end].isupper()
            or not (like == 2 or fits(service, written))
        ):
            continue
        if (
            _PLAIN_CUES.end_at(folded, token.start(), at)
            or _THERE.match(folded, end)
            or _TRAILING.match(folded, end)
        ):
            return FoundHandle(
                token.start(), end, service.id, f"{service.id}:{written.lstrip('~')}"
            )
    return None


def _is_offered(
    passage: Passage, service: Service, at: int, token: re.Match[str], end: int, *, sure: bool
) -> bool:
    folded = passage.folded
    start = token.start("handle")
    like = likeness(passage.text[start:end], codes=service.codes)
    trailed = _TRAILING.match(folded, end) is not None
    led = trailed or is_led(folded, at, token.start())
    # "the variable start_date": a low line alone, in the flow of words, is no name.
    if (
        "_" in folded[start:end]
        and not led
        and not _NUMBERED.search(folded, start, end)
        and _IN_FLOW.search(passage.text, at, token.start())
    ):
        return False
    if like == 0 and not token["at"]:
        cued = (
            _PLAIN_CUES.end_at(folded, token.start(), at)
            or trailed
            or (sure and _stands_alone(passage, at, token.start(), end))
        )
        # In brackets right behind the service an ending says nothing: "IRC (hwjung)".
        loose = folded[at:start].strip() == "(" and passage.text[start].islower()
        return cued and is_plain_name(passage, start, end, loose=loose)
    if fits(service, folded[start:end]) or (service.handle is None and like == 2):
        return bool(token["at"]) or like == 2 or led
    # Spelling out loses the signs inside: "m i r a . 4 1".
    return (sure or trailed) and led and (bool(token["at"]) or like > 0)


def _stands_alone(passage: Passage, at: int, start: int, end: int) -> bool:
    """A word set off right behind the service: in brackets or quotes, between commas, or the only
    Latin one of a text that has no spaces."""
    folded = passage.folded
    gap, after = folded[at:start], folded[end : end + 2]
    if gap.strip() in _OPENED:
        return after[:1] == _OPENED[gap.strip()]
    if gap == ", ":
        return end - start > 7 and after[:1] in (",", ".", "\n", "")
    is_glued = gap in _GLUE and folded[at - 1] >= "\u2e80"
    return (
        (gap == " " or is_glued)
        and bool(passage.scripts)
        and not (after.strip()[:1].isascii() and after.strip()[:1].isalnum())
        and is_uncommon(passage.text[start:end], among_latin=True)
    )


def is_led(folded: str, at: int, start: int) -> bool:
    """Whether what stands at `start` is offered there: right behind `at`, a sign or a cue."""
    return (
        _ADJACENT.fullmatch(folded, at, start) is not None
        or _SIGN_BEFORE.search(folded, max(at, start - 6), start) is not None
        or _CUES.end_at(folded, start, at)
    )


def is_plain_name(passage: Passage, start: int, end: int, *, loose: bool = False) -> bool:
    """Whether view[start:end] is a word that only a name can be; `loose` behind "ID:"."""
    among_latin = not passage.scripts and not loose
    folded = passage.folded
    return is_uncommon(passage.text[start:end], among_latin=among_latin) and bool(
        _ENDS.match(folded, end) or _TRAILING.match(folded, end)
    )


def _may_be_name(service: Service, written: str, label: str | None) -> bool:
    """Without a letter it is a telephone number, an amount or a date unless a label says more."""
    if any(char.isalpha() for char in written):
        return True
    return written.isdigit() and len(written) > 4 and (service.codes or label is not None)


def _is_marked(written: str) -> bool:
    """Whether it cannot be a plain word: digits, underscore, tilde or colon inside."""
    return any(char.isdigit() or char in "_~:#*" for char in written)


def _is_made(passage: Passage, service: Service, start: int, end: int) -> bool:
    return likeness(passage.text[start:end], codes=service.codes) > 0
