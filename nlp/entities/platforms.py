"""Names of services in text: plain, colloquial, in any script, spelled out, leet, split.

Unambiguous names count anywhere. Names that are also words ("signal", "line", "飞机") count only
where the sentence uses them as a channel: a handle or label follows, a verb of moving with a
preposition stands before, or a sure name is their neighbour.

Colloquial names are plain synonyms; only disguise inside a Latin name is flagged `obfuscated`.
"""

import re
from dataclasses import dataclass
from itertools import islice

import re2

from nlp import lexicon
from nlp.analysis import EntityResult, EntityType
from nlp.entities.offered import offered_name
from nlp.entities.passage import MAX_HITS, Hit, Passage
from nlp.entities.services import SERVICES, Service, alternatives

_CONTEXT = lexicon.read("platforms")["context"]
_BEFORE_LIMIT, _AFTER_LIMIT, _HANDLE_REACH = 64, 48, 88

_CLAUSE_END = re.compile(r"[.!?。！？;；\n](?=\s|$|[^\x00-\x7f])|\n")
_MOVE = re.compile(rf"(?<![^\W_])(?:{alternatives(_CONTEXT['moves'])})(?![^\W_])")
_MOVE_AHEAD = re.compile(rf"\s(?:{alternatives(_CONTEXT['moves'])})(?![^\W_])")
_CLAUSE_ENDS = re.compile(r"\s*(?:$|[.,;:!?)\n])|\s(?:or|and|please|instead|if|ou|oder|o|или)\s")
_PREPOSITION = re.compile(
    rf"(?<![^\W_])(?:{alternatives(_CONTEXT['prepositions'])})\s(?:the\s|le\s|la\s|el\s|o\s)?$"
)
_PREPOSITION_OF_SLANG = re.compile(
    rf"(?<![^\W_])(?:{alternatives(_CONTEXT['prepositions_of_slang'])})\s$"
)
_CHANNEL_PREPOSITION = re.compile(
    r"(?<![^\W_])(?:via|on|over|per|por|al|pelo|pela|no|meu|в|через)\s$"
)
_CHANNEL_BEFORE = re.compile(
    r"(?<![^\W_])(?:on|via|over|through|sur|auf|über|per|por|no|pelo|в|через|на|على|عبر|use|install|installez?|instal[ae]|nutze[nt]?)\s$"
)
_SOLO_BEFORE = re.compile(
    rf"(?<![^\W_])(?:{alternatives(_CONTEXT['prepositions'])}|with|avec|con|com|with the|an?|une?|um|into|install\w*|using|nach|zu|pour|from)\s$"
)
_MAILBOX_BEFORE = re.compile(
    r"(?<![^\W_])(?:from|to|at|on|via|my|your|our|his|her|its|an?|the|de|à|mon|ma|une?|votre|ton|ta|notre|von|an|ein\w{0,2}|mein\w*|ihr\w*|dein\w*|desde|mi|su|tu|una|do|da|meu|seu|teu|"
    r"para|com|o|um|uma|с|на|в|мой|свой|ваш|or|oder|ou|или)\s(?:other\s|private\s|own\s|new\s|neues?\s|nouveau\s)?$"
)
_SURE_AFTER_PREPOSITION = frozenset(_CONTEXT["sure_after_preposition"])
_POSSESSIVE = re.compile(rf"(?<![^\W_])(?:{alternatives(_CONTEXT['possessives'])})\s(?:\w+\s)?$")
_FOLLOWER = re.compile(rf"\s?(?:[:=(@]|(?:{alternatives(_CONTEXT['followers'])})(?![^\W_]))")
_LABEL = re.compile(
    r"\s?(?:id|username|user|handle|number|no\.?|nr\.?|号|號|账号|帐号|아이디)?(?P<sign>\s?(?::|->|→)\s*|\s)"
    r"(?P<value>[@~+]?[a-z0-9][\w.+#-]{2,40})(?P<last>\s*(?:$|\n|[,;/|)(]))?"
)
_AT_AFTER = re.compile(
    r"[\s:(,-]{0,3}(?:(?:at|under|as|au|sous|unter|als|en|como|no|em|по|под)\s)?(?:@[a-z0-9_]{3,}|\+\d[\d ()-]{5,})"
)
_HANDLE_BEFORE = re.compile(
    r"(?:@[a-z0-9_]{3,32}|(?<![a-z0-9])[a-z][a-z0-9_]{2,30}[.#]\d{2,9}|\+?\d[\d ().-]{6,20}\d)\s?"
    r"(?:[(,/|-]|\(?(?:tel|tél|phone|mobile|call|voice)[,/&+])?\s?(?:(?:also|aussi|auch|también|também|также|same|idem)\s)?"
    r"(?:on |via |over |by |sur |auf |per |en |por |no |pelo |в |на |على )?$"
)
_PHONE_AFTER = re.compile(
    r"(?P<sign>\s?(?:[-/+&]\s?(?:tel|tél|phone|call)\s?)?)(?:[ -]?(?:number|no\.?|nr\.?|nummer|num[ée]ro|номер|번호|号码|號碼|号|號))?"
    r"(?:\s?[:=(,/-]\s?|\s(?:is|ist|est|es|é|at|under|au|unter|al|no|на|по)\s|\s?[는은是]\s?|\s){0,2}\(?\+?\d[\d ().-]{6,20}\d(?![\d%])"
)
_ALSO_TAILS = ("라인", "줌", "لاين")
# As labels of numbers these are what they say: a telephone line, a bank's wire.
_NUMBER_WORDS = frozenset({"line", "wire", "session"})
_QQ_NUMBER = re.compile(r"\s?[1-9]\d{4,10}(?!\d)")
_SELF_WORDS = re.compile(r"^\s?me\b(?! a\b)")
_BEFORE_CJK = re.compile(rf"(?:{alternatives(_CONTEXT['before_cjk'])})\s?$")
_BEFORE_FIGURATIVE = re.compile(rf"(?:{alternatives(_CONTEXT['before_figurative'])})\s?$")
_AFTER_CJK = re.compile(rf"\s?(?:{alternatives(_CONTEXT['after_cjk'])})")
_AFTER_HANGUL = re.compile(
    r"\s?(?:으로|로|에서|에)?\s?(?:[^\s.]{1,20}\s)?(?:연락|이야기|얘기|대화|옮|이어|검색|추가|찾|말씀|톡)"
)
_FIGURATIVE = frozenset(_CONTEXT["figurative"])
JOINER = re.compile(rf"\s*(?:{alternatives(_CONTEXT['joiners'])})\s*")

# Long names that cannot be two words by chance: whatsapp in pieces is still whatsapp.
_SPLITTABLE = {
    "whatsapp": "whatsapp",
    "telegram": "telegram",
    "kakaotalk": "kakaotalk",
    "threema": "threema",
    "weixin": "wechat",
    "wechat": "wechat",
    "protonmail": "proton",
}
_GAP = r"[ .\-_*·•|~'/+\n]?"
_HARD_GAP = r"[.\-_*·•|~'/+]?"  # "we chat" is English
_SPLIT = re2.compile(
    r"(?i)(?:^|[^a-z0-9])("
    + "|".join((_HARD_GAP if name == "wechat" else _GAP).join(name) for name in _SPLITTABLE)
    + r")(?:$|[^a-z0-9])"
)
_PLAIN_SPLITS = frozenset(
    {
        "whats app",
        "what's app",
        "kakao talk",
        "whats-app",
        "kakao-talk",
        "we-chat",
        "proton mail",
        "proton-mail",
    }
)
_LEET_NAMES = {
    **_SPLITTABLE,
    "signal": "signal",
    "skype": "skype",
    "viber": "viber",
    "discord": "discord",
}
# The dotless i is a letter of Turkish: a disguise only inside the name of a service.
_LEET_SIGN = re.compile(r"[0-9@$!|ı](?=[a-z])")
_LEET_BACK = re.compile(r"[a-z0-9@$!|ı]{0,13}$")
_LEET_TOKEN = re.compile(r"[a-z0-9@$!|ı]{5,14}(?![a-z0-9ı])")
_LEET = [
    str.maketrans("430157@$!|ı", "aeoistasili"),
    str.maketrans("430157@$!|ı", "aeolstaslii"),
]
_LETTERS_OUT = re.compile(r"[^a-z]")


@dataclass(frozen=True, slots=True)
class Mention:
    """A service named at view[start:end]."""

    start: int
    end: int
    service: str
    obfuscated: bool = False


def locate_mentions(passage: Passage, taken: list[tuple[int, int]]) -> list[Mention]:
    """All names of services outside the `taken` spans (links, addresses), in text order."""
    sure = [
        Mention(hit.start, _word_end(passage.folded, hit.end), hit.key)
        for hit in passage.hits("platform")
        if _is_free(hit.start, hit.end, taken) and not _is_inside(passage.folded, hit.start)
    ]
    sure += [
        m for m in _disguised(passage.folded) if _is_free(m.start, m.end, [*taken, *_spans(sure)])
    ]
    occupied = [*taken, *_spans(sure)]
    doubtful = [
        hit
        for hit in (*_common_forms(passage), *passage.hits("platform_slang"))
        if _is_free(hit.start, hit.end, occupied) and not _is_inside(passage.folded, hit.start)
    ]
    accepted = [hit for hit in doubtful if _is_channel(passage, hit)]
    mentions = sorted(
        {
            (m.start, m.end): m
            for m in [*sure, *(Mention(h.start, h.end, h.key) for h in accepted)]
        }.values(),
        key=lambda mention: mention.start,
    )
    return _with_neighbours(passage, mentions, doubtful) if doubtful else mentions


def find_platforms(passage: Passage, mentions: list[Mention] | None = None) -> list[EntityResult]:
    """PLATFORM entities; the value is the canonical id of the service."""
    return [
        passage.entity(
            EntityType.PLATFORM,
            mention.start,
            mention.end,
            mention.service,
            platform=mention.service,
            flags=("obfuscated",) if mention.obfuscated else (),
        )
        for mention in (locate_mentions(passage, []) if mentions is None else mentions)
    ]


def _is_inside(folded: str, start: int) -> bool:
    """Whether it is the tail of another word: "온라인" ends like LINE, as does its Arabic sister."""
    return folded.startswith(_ALSO_TAILS, start) and folded[start - 1 : start].isalpha()


def _common_forms(passage: Passage) -> list[Hit]:
    """Words that are also names, in the case of the name."""
    return [
        hit
        for hit in passage.hits("platform_common")
        if passage.text[hit.start : hit.end] in SERVICES[hit.key].forms
    ]


def _word_end(folded: str, end: int) -> int:
    """The end of an inflected word whose stem matched."""
    if folded[end - 1] >= "\u0590":
        return end
    limit = min(len(folded), end + 8)
    while end < limit and folded[end].isalnum() and folded[end] < "\u0590":
        end += 1
    return end


def _spans(mentions: list[Mention]) -> list[tuple[int, int]]:
    return [(mention.start, mention.end) for mention in mentions]


def _is_free(start: int, end: int, taken: list[tuple[int, int]]) -> bool:
    return not any(a < end and start < b for a, b in taken)


def _disguised(folded: str) -> list[Mention]:
    found = []
    for match in islice(_SPLIT.finditer(folded), MAX_HITS):
        written = match.group(1)
        name = _LETTERS_OUT.sub("", written)
        if written != name and written not in _PLAIN_SPLITS:
            found.append(Mention(match.start(1), match.end(1), _SPLITTABLE[name], True))
    for sign in islice(_LEET_SIGN.finditer(folded), MAX_HITS):
        back = _LEET_BACK.search(folded, max(0, sign.start() - 13), sign.start())
        token = _LEET_TOKEN.match(folded, back.start() if back else sign.start())
        if token is None:
            continue
        written = token.group().rstrip("!|")
        name = next((n for table in _LEET if (n := written.translate(table)) in _LEET_NAMES), "")
        if name and name != written:
            found.append(
                Mention(token.start(), token.start() + len(written), _LEET_NAMES[name], True)
            )
    return found


def _is_channel(passage: Passage, hit: Hit) -> bool:
    service = SERVICES[hit.key]
    folded = passage.folded
    before = _clause_before(folded, hit.start)
    after = folded[hit.end : hit.end + _AFTER_LIMIT]
    is_form = passage.text[hit.start : hit.end] in service.forms
    written = folded[hit.start : hit.end]
    owned = _PREPOSITION.search(before) or _POSSESSIVE.search(before)
    offers_number = (
        is_form and service.kind == "messenger" and _PHONE_AFTER.match(after) is not None
    )
    if offers_number and owned:
        return True
    if service.not_after.match(after) or before.endswith("-"):
        return False
    if service.id == "qq" and _QQ_NUMBER.match(after):
        return True
    led = owned or _MOVE.search(before)
    if (is_form or written in _FIGURATIVE) and offered_name(
        passage, service, hit.start, hit.end, hit.end + _HANDLE_REACH, sure=is_form and bool(led)
    ):
        return True
    if not written.isascii() and written[0] >= "\u2e80":
        return _is_channel_cjk(service, written, before, after)
    is_number_word = written in _NUMBER_WORDS and not (
        owned or (is_form and (before[-1:] == "(" or _stands_out(passage.text, hit.start, hit.end)))
    )
    if not is_number_word and (
        offers_number
        or _is_labelled(service, written, after)
        or _AT_AFTER.match(after)
        or _HANDLE_BEFORE.search(before)
    ):
        return True
    if _BEFORE_CJK.search(before) or (
        (is_form or before[-1:] >= "\u2e80") and _AFTER_CJK.match(after)
    ):
        return True
    if is_form and (
        _AFTER_HANGUL.match(after)
        or (before[-1:] == "的" and _stands_out(passage.text, hit.start, hit.end))
    ):
        return True
    noun = service.nouns.match(after)
    if noun and (is_form or _POSSESSIVE.search(before) or not noun.group().isascii()):
        return True
    is_named = is_form or written not in _NUMBER_WORDS
    if is_named and _POSSESSIVE.search(before) and _FOLLOWER.match(after):
        return True
    if (is_form or len(written) > 3) and _SELF_WORDS.match(after):
        return True
    if written in _SURE_AFTER_PREPOSITION and _CHANNEL_PREPOSITION.search(before):
        return True
    if is_form and _CLAUSE_ENDS.match(after):
        on_it = _SOLO_BEFORE if service.solo else _CHANNEL_BEFORE
        if on_it.search(before):
            return True
    if is_form and service.kind == "mail" and _MAILBOX_BEFORE.search(before):
        return True
    preposition = _PREPOSITION if is_form else _PREPOSITION_OF_SLANG
    if not preposition.search(before):
        return False
    return bool(_MOVE.search(before) or (is_form and _MOVE_AHEAD.match(after)))


def _stands_out(text: str, start: int, end: int) -> bool:
    """Whether it is written in capitals among words that are not: "LINE", but not "ORDER LINE"."""
    words = text[max(0, start - 24) : start].split()
    return text[start:end].isupper() and not (words and len(words[-1]) > 2 and words[-1].isupper())


def _is_labelled(service: Service, written: str, after: str) -> bool:
    """Whether something follows that can only be a handle or number: "vx: lan_88"."""
    label = _LABEL.match(after)
    if label is None:
        return False
    value = label["value"].lstrip("~")
    has_sign = not label["sign"].isspace()
    if has_sign and (
        value.startswith(("@", "+")) or (service.kind == "messenger" and value.isdigit())
    ):
        return True
    if service.handle is None or not service.handle.fullmatch(value):
        return False
    is_word = any(written == form.lower() for form in service.forms)
    if any(char.isdigit() or char == "_" for char in value):
        return has_sign or not is_word
    return has_sign and label["last"] is not None and not is_word


def _is_channel_cjk(service: Service, written: str, before: str, after: str) -> bool:
    if _is_labelled(service, written, after) or _AT_AFTER.match(after):
        return True
    if len(written) == 1:
        return False
    if written in _FIGURATIVE:
        return bool(_BEFORE_FIGURATIVE.search(before) or service.nouns.match(after))
    return bool(_BEFORE_CJK.search(before) or _AFTER_CJK.match(after) or service.nouns.match(after))


def _clause_before(folded: str, start: int) -> str:
    window = folded[max(0, start - _BEFORE_LIMIT) : start]
    cut = 0
    for end in _CLAUSE_END.finditer(window):
        if end.end() < len(window):
            cut = end.end()
    return window[cut:]


def _with_neighbours(
    passage: Passage, mentions: list[Mention], doubtful: list[Hit]
) -> list[Mention]:
    """Adds names joined to a sure one: "WhatsApp, Telegram or Signal"."""
    for _ in range(3):
        added = []
        for hit in doubtful:
            is_word = passage.folded[hit.start : hit.end] in _NUMBER_WORDS
            if not _is_free(hit.start, hit.end, _spans(mentions)) or (
                is_word and passage.text[hit.start : hit.end].islower()
            ):
                continue
            near = (
                JOINER.fullmatch(passage.folded, mention.end, hit.start)
                if mention.end <= hit.start
                else JOINER.fullmatch(passage.folded, hit.end, mention.start)
                for mention in mentions
                if 0 < hit.start - mention.end < 12 or 0 < mention.start - hit.end < 12
            )
            if any(near):
                added.append(Mention(hit.start, hit.end, hit.key))
        if not added:
            break
        unique = {(m.start, m.end): m for m in [*mentions, *added]}
        mentions = sorted(unique.values(), key=lambda mention: mention.start)
    return mentions
