"""Handles: how a person is reached on a service, bound to the service that the text names.

A handle needs a shape that its service allows and a tie to the name of the service: right behind
it ("WeChat: abc_12", "my Telegram is @x"), right before it ("@x on Telegram"), or an `@name` in the
neighbourhood. A telephone number is a handle where the text says so ("same on WhatsApp"). Some
shapes tell the service themselves (Matrix ids, Session ids, `live:` names).

Values are `service:handle`, folded where the service does not tell cases apart.
"""

import re

from nlp import lexicon
from nlp.analysis import EntityResult, EntityType
from nlp.entities.handle_shapes import FoundHandle, fits, is_led, likeness, nearby_handle
from nlp.entities.passage import Passage
from nlp.entities.phones import FoundPhone
from nlp.entities.platforms import JOINER, Mention
from nlp.entities.services import SERVICES, LinkTarget, Service, alternatives, link_target
from nlp.entities.urls import FoundUrl, normalised_url

_CONTEXT = lexicon.read("platforms")["context"]
_NOT_HANDLES = frozenset(_CONTEXT["not_handles"])
SAME_NUMBER = re.compile(alternatives(_CONTEXT["same_number"]))
ELSEWHERE = re.compile(alternatives(_CONTEXT["elsewhere"]))

_NEIGHBOURHOOD, _RIGHT_BEHIND, _PHONE_REACH = 160, 60, 64
_ID_WORDS = (
    r"user ?name|user ?id|user|nick(?:name)?|id|handle|account|contact|number|name|nummer|kennung|konto|benutzername|"
    r"identifiant|pseudo(?:nyme)?|compte|num[ée]ro|usuario|cuenta|usu[áa]rio|conta|ник(?:нейм)?|аккаунт|логин|номер|"
    r"아이디|계정|账号|帐号|帳號|号码|號碼|号|號|用户名|معر[ّ]?ف[ي]?|حساب[ي]?|اسم المستخدم|المعرف"
)
# Between a name and its handle: "WeChat ID:", "Telegram username is", "微信号是", "카톡 아이디는".
_BETWEEN = re.compile(
    rf"(?P<id>[ -]?(?:{_ID_WORDS})(?!(?<=[a-z])[a-z0-9_#])(?:\s(?:number|id|name))?)?"
    r"(?P<sign>\s*(?:[:=]|->|=>|→)\s*|\s(?:is|ist|est|es|é|это|هو|هي|[-–—])\s|\s?[是为為는은]\s?)?[\s(,\"'`]{0,2}"
)
_AHEAD = re.compile(
    r"(?P<at>@)?(?P<handle>(?:live:)?[~a-z0-9_*][a-z0-9_.:#~-]{1,65})(?![a-z0-9_@])"
)
_LABEL_SIGN = re.compile(
    r"(?:\s(?:there|là|dort|ahí|там))?(?:\s*[:=]\s*|\s(?:is|ist|est|es|é|هو)\s|\s?[是为為는은]\s?)[\"'`]?"
)
_AT_NAME = re.compile(
    r"@(?<![a-z0-9@/._+-]@)(?P<handle>[a-z0-9_][a-z0-9_.]{2,31})(?![a-z0-9@]|\.[a-z])"
)
_STRONG_BEFORE = re.compile(
    r"(?<![a-z0-9@._/-])(?P<handle>[a-z0-9_][a-z0-9_.-]{2,31})\s?(?:\(|(?:on|over|via|through|in|at|sur|par|auf|über|per|bei|en|por|no|na|pelo|pela|в|через|на|على|عبر)\s|[-–/,:]\s?)$"
)
_MATRIX = re.compile(
    r"@(?<![a-z0-9]@)[a-z0-9._=/+-]{1,64}:[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}(?![a-z0-9])"
)
_SESSION = re.compile(r"(?<![0-9a-z])05[0-9a-f]{64}(?![0-9a-z])")
_SKYPE_LIVE = re.compile(r"(?<![a-z0-9:])live:[a-z0-9._-]{2,64}")
_ENDS_WORDLESS = re.compile(r"\s*(?:$|\n|[.,;)\]!?|/&]|\s[-–(]|[^\x00-\x7f])")
_PHONE_GAP = re.compile(r"[^.!?\n;]{0,28}")
_OTHER_PHONE_LABEL = re.compile(r"\b(?:tel|phone|fax|office|landline|bureau|büro)\b")


def locate_handles(
    passage: Passage,
    mentions: list[Mention],
    phones: list[FoundPhone],
    taken: list[tuple[int, int]],
) -> list[FoundHandle]:
    """Handles outside links: ones behind or before a name, self-telling shapes, bound phones."""
    folded = passage.folded
    found = _self_telling(folded)
    occupied = [*taken, *((phone.start, phone.end) for phone in phones)]
    for mention in mentions:
        ahead = _chain_end(folded, mention, mentions)
        service = SERVICES[mention.service]
        if phone := _phone_of(folded, mention, ahead, phones, mentions):
            found.append(
                FoundHandle(phone.start, phone.end, service.id, f"{service.id}:{phone.value}")
            )
        elif service.handle or service.kind == "messenger":
            stop = min((m.start for m in mentions if m.start >= ahead), default=len(folded))
            handle = (
                _behind(folded, service, ahead)
                or _before(passage, service, mention.start)
                or nearby_handle(passage, service, ahead, stop, sure=True)
            )
            if handle and _is_free(handle, occupied):
                found.append(handle)
    if mentions:
        found += _labelled(passage, mentions, [*occupied, *((h.start, h.end) for h in found)])
        found += _at_names(folded, mentions, [*occupied, *((h.start, h.end) for h in found)])
    return sorted(dict.fromkeys(found), key=lambda handle: (handle.start, handle.service))


def find_handles(passage: Passage, found: list[FoundHandle]) -> list[EntityResult]:
    """HANDLE entities with value `service:handle`."""
    return [
        passage.entity(
            EntityType.HANDLE,
            handle.start,
            handle.end,
            handle.value,
            platform=handle.service,
            flags=("obfuscated",) if handle.obfuscated else (),
        )
        for handle in found
    ]


def find_link_handles(passage: Passage, urls: list[FoundUrl]) -> list[EntityResult]:
    """HANDLE and PLATFORM entities of deep links; both cover the whole link."""
    results = []
    for url in urls:
        target = link_target(normalised_url(url.url))
        if target is None:
            continue
        flags = ("link", "obfuscated") if url.obfuscated else ("link",)
        for type_, value in link_values(target):
            results.append(
                passage.entity(
                    type_, url.start, url.end, value, platform=target.service, flags=flags
                )
            )
    return results


def link_values(target: LinkTarget) -> list[tuple[EntityType, str]]:
    """What a deep link gives: always a platform, and a handle where it names one."""
    values = [(EntityType.PLATFORM, target.service)]
    if target.handle:
        values.append((EntityType.HANDLE, target.handle))
    return values


def at_names(passage: Passage, mentions: list[Mention]) -> list[FoundHandle]:
    """`@name`s of a passage that names no service itself, bound to the first that takes it."""
    found = []
    for match in _AT_NAME.finditer(passage.folded):
        written = match["handle"].rstrip(".")
        for mention in mentions:
            if _takes_at_names(SERVICES[mention.service], written):
                end = match.start("handle") + len(written)
                value = f"{mention.service}:{written}"
                found.append(FoundHandle(match.start(), end, mention.service, value))
                break
    return found


def _is_free(handle: FoundHandle, taken: list[tuple[int, int]]) -> bool:
    return not any(a < handle.end and handle.start < b for a, b in taken)


def _chain_end(folded: str, mention: Mention, mentions: list[Mention]) -> int:
    """Where the list of names that `mention` belongs to ends: "WhatsApp / Telegram: ..."."""
    end = mention.end
    for other in mentions:
        if 0 <= other.start - end < 8 and JOINER.fullmatch(folded, end, other.start):
            end = other.end
    return end


def _self_telling(folded: str) -> list[FoundHandle]:
    found = []
    if "@" in folded:
        for match in _MATRIX.finditer(folded):
            found.append(FoundHandle(*match.span(), "matrix", f"matrix:{match.group()}"))
    if "05" in folded:
        for match in _SESSION.finditer(folded):
            found.append(FoundHandle(*match.span(), "session", f"session:{match.group()}"))
    if "live:" in folded:
        for match in _SKYPE_LIVE.finditer(folded):
            name = match.group().rstrip(".")
            end = match.start() + len(name)
            found.append(FoundHandle(match.start(), end, "skype", f"skype:{name}"))
    return found


def _behind(folded: str, service: Service, at: int) -> FoundHandle | None:
    between = _BETWEEN.match(folded, at)
    assert between is not None  # every part of the pattern may be empty
    ahead = _AHEAD.match(folded, between.end())
    if ahead is None or (between.end() == at and folded[at - 1].isascii() and not ahead["at"]):
        return None
    written = ahead["handle"].rstrip(".:-")
    start = ahead.start("handle")
    end = start + len(written)
    if not fits(service, written):
        return None
    if not ahead["at"] and not _is_marked(written):
        # A plain word: only a label ("ID: lan") or a sign with nothing behind makes it a handle.
        sign = between["sign"] or ""
        is_last = _ENDS_WORDLESS.match(folded, end) is not None
        if not sign or not is_last or written in _NOT_HANDLES:
            return None
        if sign.strip() not in (":", "=", "->", "=>", "→") and not between["id"]:
            return None
    elif not ahead["at"] and written in _NOT_HANDLES:
        return None
    return FoundHandle(
        start - bool(ahead["at"]), end, service.id, f"{service.id}:{written.lstrip('~')}"
    )


def _before(passage: Passage, service: Service, at: int) -> FoundHandle | None:
    folded = passage.folded
    match = _STRONG_BEFORE.search(folded, max(0, at - 44), at)
    if match is None or not fits(service, match["handle"]):
        return None
    start, end = match.span("handle")
    like = likeness(passage.text[start:end], codes=service.codes)
    if like == 2 or (like == 1 and is_led(folded, max(0, start - 32), start)):
        return FoundHandle(start, end, service.id, f"{service.id}:{match['handle']}")
    return None


def _is_marked(written: str) -> bool:
    """Whether it cannot be a plain word: digits, underscore, tilde or colon inside."""
    return any(char.isdigit() or char in "_~:#*" for char in written)


def _labelled(
    passage: Passage, mentions: list[Mention], taken: list[tuple[int, int]]
) -> list[FoundHandle]:
    """ "My username there is lan_w": the nearest service named before."""
    folded = passage.folded
    found = []
    for label in passage.hits("id_word"):
        sign = _LABEL_SIGN.match(folded, label.end)
        # Without "is" or ":" only what cannot be a word: "my id lan_88".
        start = sign.end() if sign else label.end + folded.startswith(" ", label.end)
        ahead = _AHEAD.match(folded, start)
        if ahead is None:
            continue
        written = ahead["handle"].rstrip(".:-")
        first = ahead.start("handle")
        end = first + len(written)
        like = likeness(passage.text[first:end], codes=True)
        is_made = bool(ahead["at"]) or like > 0 or (written.isdigit() and len(written) > 4)
        if written in _NOT_HANDLES or not (
            is_made or (sign and (_is_marked(written) or _ENDS_WORDLESS.match(folded, end)))
        ):
            continue
        service = _labelled_service(mentions, label.start, end, written, like)
        handle = FoundHandle(ahead.start(), end, service, f"{service}:{written.lstrip('~')}")
        if service and _is_free(handle, taken):
            found.append(handle)
    return found


def _labelled_service(
    mentions: list[Mention], start: int, end: int, written: str, like: int
) -> str:
    """The nearest service before that takes it, else one right behind, else the nearest at all."""
    near = [m for m in reversed(mentions) if 0 <= start - m.end <= _NEIGHBOURHOOD]
    behind = [m for m in mentions if 0 <= m.start - end <= _RIGHT_BEHIND and like]
    fitting = [m for m in (*near, *behind) if fits(SERVICES[m.service], written)]
    if not fitting and like == 2:
        fitting = [m for m in (*near, *behind) if SERVICES[m.service].kind == "messenger"]
    return fitting[0].service if fitting else ""


def _at_names(
    folded: str, mentions: list[Mention], taken: list[tuple[int, int]]
) -> list[FoundHandle]:
    found = []
    for match in _AT_NAME.finditer(folded):
        written = match["handle"].rstrip(".")
        end = match.start("handle") + len(written)
        near = sorted(
            (max(m.start - end, match.start() - m.end), m.service)
            for m in mentions
            if _takes_at_names(SERVICES[m.service], written)
        )
        if near and near[0][0] <= _NEIGHBOURHOOD:
            service = near[0][1]
            handle = FoundHandle(match.start(), end, service, f"{service}:{written}")
            if _is_free(handle, taken):
                found.append(handle)
    return found


def _takes_at_names(service: Service, written: str) -> bool:
    return fits(service, written) and not written.isdigit()


def _phone_of(
    folded: str, mention: Mention, ahead: int, phones: list[FoundPhone], mentions: list[Mention]
) -> FoundPhone | None:
    service = SERVICES[mention.service]
    if not phones or not (
        service.by_phone or SAME_NUMBER.search(folded, mention.start, mention.end + 6)
    ):
        return None
    for phone in phones:
        gap = phone.start - ahead
        if 0 <= gap <= _PHONE_REACH:
            between = folded[ahead : phone.start]
            # Another name or another kind of number in between ends the reach.
            if (
                "\n" in between.strip()
                or _OTHER_PHONE_LABEL.search(between)
                or re.search(r"[.!?;](?:\s|$)|。", between.rstrip("( "))
                or any(ahead <= m.start < phone.start for m in mentions)
            ):
                break
            return phone
    for phone in reversed(phones):
        gap = mention.start - phone.end
        if 0 <= gap <= 28 and _PHONE_GAP.fullmatch(folded, phone.end, mention.start):
            return phone
    window = folded[max(0, mention.start - 14) : mention.end + 14]
    if SAME_NUMBER.search(window):
        near = [phone for phone in phones if abs(phone.start - mention.start) <= 240]
        return min(near, key=lambda phone: abs(phone.start - mention.start), default=None)
    return None
