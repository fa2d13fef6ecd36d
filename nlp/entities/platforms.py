"""Names of services in text: plain, colloquial, in any script, spelled out, leet, split.

Unambiguous names count anywhere. Names that are also words ("signal", "line", "飞机") count only
where the sentence uses them as a channel: a handle or label follows, a verb of moving with a
preposition stands before, or a sure name is their neighbour.

Colloquial names are plain synonyms; only disguise inside a Latin name is flagged `obfuscated`.
"""

import re

from nlp.analysis import EntityResult, EntityType
from nlp.entities.channel_frames import is_framed, is_placed
from nlp.entities.channel_words import (
    AFTER_CJK,
    AFTER_HANGUL,
    AFTER_LIMIT,
    ALSO_TAILS,
    AT_AFTER,
    BEFORE_CJK,
    BEFORE_FIGURATIVE,
    BY,
    BY_AHEAD,
    CHANNEL_BEFORE,
    CHANNEL_PREPOSITION,
    CLAUSE_ENDS,
    FIGURATIVE,
    FOLLOWER,
    HANDLE_BEFORE,
    HANDLE_REACH,
    LABEL,
    LIST_JOINER,
    MAILBOX_BEFORE,
    MOVE,
    MOVE_AHEAD,
    NUMBER_LABELLED,
    NUMBER_WORDS,
    ON_DEVICE,
    PHONE_AFTER,
    POSSESSIVE,
    PREPOSITION,
    PREPOSITION_OF_SLANG,
    QQ_NUMBER,
    SELF_WORDS,
    SOLO_BEFORE,
    STRICT,
    SURE_AFTER_PREPOSITION,
    USED_BEFORE,
    V_LABELLED,
    clause_before,
)
from nlp.entities.disguised_names import disguised_mentions
from nlp.entities.offered import offered_name
from nlp.entities.passage import Hit, Mention, Passage
from nlp.entities.services import SERVICES, Service
from nlp.entities.short_names import offers_contact

_SURNAME_SERVICES = frozenset("賴赖")
_ADDING = frozenset("加用換换改開开的我")
_NAMED = re.compile(
    r"(?![我群號号帳账上聊找傳传發发])[\u3400-\u9fff]{1,2}(?=[,、。;:!()\s\d]|老[師师]|先生|小姐|女士|$)"
)


def locate_mentions(passage: Passage, taken: list[tuple[int, int]]) -> list[Mention]:
    """All names of services outside the `taken` spans (links, addresses), in text order."""
    sure = [
        Mention(hit.start, _word_end(passage.folded, hit.end), hit.key)
        for hit in passage.hits("platform")
        if _is_free(hit.start, hit.end, taken)
        and not _is_inside(passage.folded, hit.start)
        and not _is_surname(passage.folded, hit)
    ]
    sure += [
        m
        for m in disguised_mentions(passage.text, passage.folded)
        if _is_free(m.start, m.end, [*taken, *_spans(sure)])
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
    """Whether it is the tail of another word: "온라인" ends like LINE, "send me" in Arabic like Telegram."""
    return folded.startswith(ALSO_TAILS, start) and folded[start - 1 : start].isalpha()


def _is_surname(folded: str, hit: Hit) -> bool:
    """Whether a name of one Han character begins somebody's name: "交賴怡君"."""
    if hit.end - hit.start != 1 or folded[hit.start] not in _SURNAME_SERVICES:
        return False
    before = folded[hit.start - 1 : hit.start]
    return before not in _ADDING and _NAMED.match(folded, hit.end) is not None


def _common_forms(passage: Passage) -> list[Hit]:
    """Words that are also names, in the case of the name."""
    return [hit for hit in passage.hits("platform_common") if _is_form(passage.text, hit)]


def _is_form(text: str, hit: Hit) -> bool:
    """Whether it is written as the name: in its case, or in capitals that stand out."""
    written = text[hit.start : hit.end]
    forms = SERVICES[hit.key].forms
    if written in forms:
        return True
    is_name = len(written) > 3 and any(form.upper() == written for form in forms)
    return is_name and _stands_out(text, hit.start, hit.end)


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


def _is_channel(passage: Passage, hit: Hit) -> bool:
    service = SERVICES[hit.key]
    folded = passage.folded
    before = clause_before(folded, hit.start)
    after = folded[hit.end : hit.end + AFTER_LIMIT]
    is_form = _is_form(passage.text, hit)
    written = folded[hit.start : hit.end]
    owned = PREPOSITION.search(before) or POSSESSIVE.search(before)
    offers_number = is_form and service.kind == "messenger" and PHONE_AFTER.match(after) is not None
    if offers_number and owned:
        return True
    is_placed_name = is_form and is_placed(before, after)
    if (service.not_after.match(after) and not is_placed_name) or before.endswith("-"):
        return False
    if is_framed(passage, hit, before, after, is_form=is_form):
        return True
    if service.id == "qq" and QQ_NUMBER.match(after):
        return True
    if offers_contact(passage, hit):
        return True
    if written in STRICT and not is_form:
        by_name = written in SURE_AFTER_PREPOSITION and CHANNEL_PREPOSITION.search(before)
        has_noun = service.kind == "mail" and POSSESSIVE.search(before)
        return bool(by_name or (has_noun and service.nouns.match(after)))
    led = owned or MOVE.search(before)
    if (is_form or written in FIGURATIVE) and offered_name(
        passage, service, hit.start, hit.end, hit.end + HANDLE_REACH, sure=is_form and bool(led)
    ):
        return True
    if not written.isascii() and written[0] >= "\u2e80":
        return _is_channel_cjk(service, written, before, after)
    is_number_word = written in NUMBER_WORDS and not (
        owned or (is_form and (before[-1:] == "(" or _stands_out(passage.text, hit.start, hit.end)))
    )
    if written == "v":  # a Latin letter elsewhere, and the name of a file of versions
        return "han" in passage.scripts and V_LABELLED.match(after) is not None
    if not is_number_word and (
        offers_number
        or (not before.endswith(", ") and NUMBER_LABELLED.match(after))
        or _is_labelled(service, written, after)
        or AT_AFTER.match(after)
        or HANDLE_BEFORE.search(before)
    ):
        return True
    if BEFORE_CJK.search(before) or (
        (is_form or before[-1:] >= "\u2e80") and AFTER_CJK.match(after)
    ):
        return True
    if is_form and (
        AFTER_HANGUL.match(after)
        or (before[-1:] == "的" and _stands_out(passage.text, hit.start, hit.end))
    ):
        return True
    noun = service.nouns.match(after)
    if noun and (is_form or POSSESSIVE.search(before) or not noun.group().isascii()):
        return True
    is_named = is_form or written not in NUMBER_WORDS
    if is_named and POSSESSIVE.search(before) and FOLLOWER.match(after):
        return True
    if (is_form or len(written) > 3) and SELF_WORDS.match(after):
        return True
    if written in SURE_AFTER_PREPOSITION and CHANNEL_PREPOSITION.search(before):
        return True
    if is_form and _is_used(passage.text, hit, before, after):
        return True
    if is_form and service.kind == "mail" and MAILBOX_BEFORE.search(before):
        return True
    preposition = PREPOSITION if is_form else PREPOSITION_OF_SLANG
    if not preposition.search(before):
        return False
    return bool(MOVE.search(before) or (is_form and MOVE_AHEAD.match(after)))


def _is_used(text: str, hit: Hit, before: str, after: str) -> bool:
    """Whether a form of a name is used as a channel or an application: "on Signal", "use Session"."""
    service = SERVICES[hit.key]
    ends = CLAUSE_ENDS.match(after) is not None
    if ends and service.solo and SOLO_BEFORE.search(before):
        return True
    if service.kind == "messenger" and ON_DEVICE.match(after):
        return True
    if BY.search(before) and (ends or BY_AHEAD.match(after)):
        return True
    if not (CHANNEL_BEFORE.search(before) or USED_BEFORE.search(before)):
        return False
    # "on Matrix Theory" is a subject, and a line is a line.
    is_name = text[hit.end : hit.end + 1] != " " or not text[hit.end + 1 : hit.end + 2].isupper()
    is_word = text[hit.start : hit.end] in ("Line", "Wire")
    return ends or (is_name and not is_word)


def _stands_out(text: str, start: int, end: int) -> bool:
    """Whether it is written in capitals among words that are not: "LINE", but not "ORDER LINE"."""
    words = text[max(0, start - 24) : start].split()
    return text[start:end].isupper() and not (words and len(words[-1]) > 2 and words[-1].isupper())


def _is_labelled(service: Service, written: str, after: str) -> bool:
    """Whether something follows that can only be a handle or number: "vx: lan_88"."""
    label = LABEL.match(after)
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
    if _is_labelled(service, written, after) or AT_AFTER.match(after):
        return True
    if len(written) == 1:
        return False
    if written in FIGURATIVE:
        return bool(BEFORE_FIGURATIVE.search(before) or service.nouns.match(after))
    return bool(BEFORE_CJK.search(before) or AFTER_CJK.match(after) or service.nouns.match(after))


def _with_neighbours(
    passage: Passage, mentions: list[Mention], doubtful: list[Hit]
) -> list[Mention]:
    """Adds names joined to a sure one: "WhatsApp, Telegram or Signal"."""
    for _ in range(3):
        added = []
        for hit in doubtful:
            is_word = passage.folded[hit.start : hit.end] in NUMBER_WORDS
            if not _is_free(hit.start, hit.end, _spans(mentions)) or (
                is_word and passage.text[hit.start : hit.end].islower()
            ):
                continue
            near = (
                LIST_JOINER.fullmatch(passage.folded, mention.end, hit.start)
                if mention.end <= hit.start
                else LIST_JOINER.fullmatch(passage.folded, hit.end, mention.start)
                for mention in mentions
                if 0 < hit.start - mention.end < 56 or 0 < mention.start - hit.end < 56
            )
            if any(near):
                added.append(Mention(hit.start, hit.end, hit.key))
        if not added:
            break
        unique = {(m.start, m.end): m for m in [*mentions, *added]}
        mentions = sorted(unique.values(), key=lambda mention: mention.start)
    return mentions
