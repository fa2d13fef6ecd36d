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
from nlp.entities.handle_shapes import nearby_handle
from nlp.entities.passage import MAX_HITS, Hit, Passage
from nlp.entities.services import SERVICES, Service, alternatives

_CONTEXT = lexicon.read("platforms")["context"]
_BEFORE_LIMIT, _AFTER_LIMIT, _HANDLE_REACH = 64, 48, 40

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
    r"(?:@[a-z0-9_]{3,32}|(?<![a-z0-9])[a-z][a-z0-9_]{2,30}[.#]\d{2,9}|\+?\d[\d ()-]{6,20}\d)\s?(?:\(|on |via |sur |auf |en |no |в |-|,)?\s?$"
)
_QQ_NUMBER = re.compile(r"\s?[1-9]\d{4,10}(?!\d)")
_SELF_WORDS = re.compile(r"^\s?me\b(?! a\b)")
_BEFORE_CJK = re.compile(rf"(?:{alternatives(_CONTEXT['before_cjk'])})\s?$")
_BEFORE_FIGURATIVE = re.compile(rf"(?:{alternatives(_CONTEXT['before_figurative'])})\s?$")
_AFTER_CJK = re.compile(rf"\s?(?:{alternatives(_CONTEXT['after_cjk'])})")
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
        if _is_free(hit.start, hit.end, taken)
    ]
    sure += [
        m for m in _disguised(passage.folded) if _is_free(m.start, m.end, [*taken, *_spans(sure)])
    ]
    occupied = [*taken, *_spans(sure)]
    doubtful = [
        hit
        for hit in (*_common_forms(passage), *passage.hits("platform_slang"))
        if _is_free(hit.start, hit.end, occupied)
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
    if service.not_after.match(after) or before.endswith("-"):
        return False
    if service.id == "qq" and _QQ_NUMBER.match(after):
        return True
    if (is_form or written in _FIGURATIVE) and nearby_handle(
        passage, service, hit.end, hit.end + _HANDLE_REACH
    ):
        return True
    if not written.isascii() and written[0] >= "\u2e80":
        return _is_channel_cjk(service, written, before, after)
    if (
        _is_labelled(service, written, after)
        or _AT_AFTER.match(after)
        or _HANDLE_BEFORE.search(before)
    ):
        return True
    if _BEFORE_CJK.search(before) or (before[-1:] >= "\u2e80" and _AFTER_CJK.match(after)):
        return True
    noun = service.nouns.match(after)
    if noun and (is_form or _POSSESSIVE.search(before) or not noun.group().isascii()):
        return True
    if _POSSESSIVE.search(before) and _FOLLOWER.match(after):
        return True
    if (is_form or len(written) > 3) and _SELF_WORDS.match(after):
        return True
    if written in _SURE_AFTER_PREPOSITION and _CHANNEL_PREPOSITION.search(before):
        return True
    preposition = _PREPOSITION if is_form else _PREPOSITION_OF_SLANG
    if not preposition.search(before):
        return False
    if is_form and service.solo and _CLAUSE_ENDS.match(after):
        return True
    return bool(_MOVE.search(before) or (is_form and _MOVE_AHEAD.match(after)))


def _is_labelled(service: Service, written: str, after: str) -> bool:
    """Whether something follows that can only be a handle or number: "vx: lan_88"."""
    label = _LABEL.match(after)
    if label is None:
        return False
    value = label["value"].lstrip("~")
    has_sign = not label["sign"].isspace()
    if has_sign and (value.startswith(("@", "+")) or (service.by_phone and value.isdigit())):
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
            if not _is_free(hit.start, hit.end, _spans(mentions)):
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
