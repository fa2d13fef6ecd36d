"""Handles: how a person is reached on a service, bound to the service that the text names.

A handle needs a shape that its service allows and a tie to the name of the service: right behind
it ("WeChat: abc_12", "my Telegram is @x"), right before it ("@x on Telegram"), or an `@name` in the
neighbourhood. A telephone number is a handle where the text says so ("same on WhatsApp"). Some
shapes tell the service themselves (Matrix ids, Session ids, `live:` names).

Values are `service:handle`, folded where the service does not tell cases apart.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp import lexicon
from nlp.analysis import EntityResult, EntityType
from nlp.entities.channel_words import JOINER
from nlp.entities.handle_shapes import FoundHandle, fits, likeness, takes_names
from nlp.entities.offered import is_plain_name, later_handle, offered_name
from nlp.entities.passage import Mention, Passage
from nlp.entities.phones import FoundPhone
from nlp.entities.services import SERVICES, LinkTarget, Service, alternatives, link_target
from nlp.entities.urls import FoundUrl, normalised_url

_CONTEXT = lexicon.read("platforms")["context"]
_NOT_HANDLES = frozenset(_CONTEXT["not_handles"])
SAME_NUMBER = re.compile(alternatives(_CONTEXT["same_number"]))
ELSEWHERE = re.compile(alternatives(_CONTEXT["elsewhere"]))

_NEIGHBOURHOOD, _RIGHT_BEHIND, _PHONE_REACH = 160, 60, 64
_PLAIN_LABELS = frozenset(
    {"username", "handle", "nickname", "pseudo", "identifiant", "benutzername", "nutzername"}
)
_COLONS = frozenset({":", "="})
_AHEAD = re.compile(
    r"(?P<at>@)?(?P<handle>(?:live:)?[~a-z0-9_*][a-z0-9_.:#~-]{1,65})(?![a-z0-9_@])"
)
_LABEL_SIGN = re.compile(
    r"(?:\s(?:there|là|dort|ahí|там))?(?:\s*[:=]\s*|\s(?:is|ist|lautet|est|es|é|هو)\s|\s?[是为為는은]\s?)[\"'`]?"
)
_AT_NAME = re.compile(
    r"@(?<![a-z0-9@/._+-]@)(?P<handle>[a-z0-9_][a-z0-9_.]{2,31})(?![a-z0-9@]|\.[a-z])"
)
_MATRIX = re.compile(
    r"@(?<![a-z0-9]@)[a-z0-9._=/+-]{1,64}:[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}(?![a-z0-9])"
)
_SESSION = re.compile(r"(?<![0-9a-z])05[0-9a-f]{64}(?![0-9a-z])")
_SKYPE_LIVE = re.compile(r"(?<![a-z0-9])(?<![a-z0-9]:)live:[a-z0-9._-]{2,64}")
_JOINED_LABEL = re.compile(
    rf"\s?(?:{alternatives(_CONTEXT['joiners'])})\s?(?:tel|tél|phone|telephone|mobile|call|телефон|电话|電話|手机|手機|전화)\b"
)
# Codes that a service hands out: capitals and digits, letters and digits both ("9KD4TXW2").
_HANDED_OUT = re.compile(
    r"(?<![A-Za-z0-9*@/_.-])(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])[A-Z0-9]{8}(?![A-Za-z0-9@_-])"
)
_HANDED_OUT_REACH = 200
_SENTENCE_END = re.compile(r"[.!?;](?:\s|$)|。")
_TEXT_TO = re.compile(
    r"\b(?:text|texts|texting|texte[zr]?|texto|textos|simsen|simst)\b(?![/'])[^.!?;\n0-9]{0,32}[(+]*$"
    # "send the word X to": a word is sent by text message.
    r"|\b(?:send|envoie[zs]?|envoyez|envíe|envía|envie|mande|schick\w*|sende\w*)\s(?:the word |le mot |la palabra |a palavra |das wort )?"
    r"[\"'«“„»]\s?[^.!?;\n0-9]{1,20}[\"'»”“]\s(?:to|au|al|ao|para o|an(?: die)?)\s[(+]*$"
)
_PHONE_GAP = re.compile(r"[^.!?\n;]{0,28}")
# "Are you on WhatsApp? Mine is +44 ...": the next sentence is a number, or only says whose it is.
_NEXT_SENTENCE = re.compile(
    r"[^.!?;\n]{0,36}(?:[.!?;:](?=\s)|[。！？；])\s{0,2}(?:(?:my|mine|mein\w?|meine|die|le|la|el|o|ma|mon|mi|meu|minha|a|the|your|our|there|dort|it|its|voici|"
    r"aquí|aqui|number|no|nr|nummer|handynummer|num[ée]ro|n[úu]mero|num|номер|мой|вот|رقمي|الرقم|رقم|here|is|ist|est|es|é|on|for|"
    r"号码|號碼|号|號|我的|번호는|제|번호)(?:'s)?[\s:–—-]{0,3}){0,5}[(+]{0,2}"
)
_ALSO_BEHIND = re.compile(
    r"[.,;]?\s(?:[^\W\d]+\s){0,6}(?:also|aussi|auch|también|também|тоже|также)\s[^.!?;\n]{0,24}"
)
_ALSO_REACH, _NEXT_REACH = 72, 80
_OTHER_PHONE_LABEL = re.compile(
    r"\b(?:tel|tél|phone|fax|office|landline|bureau|büro|телефон|офис)\b|[致来來去]电|致電|来電|拨打|撥打|或拨|座机"
)


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
        stop = min((m.start for m in mentions if m.start >= ahead), default=len(folded))
        name = offered_name(passage, service, mention.start, ahead, stop, sure=True)
        if name and not _is_free(name, occupied):
            name = None
        phone = _phone_of(folded, mention, ahead, phones, mentions)
        # What is nearer is meant: "Discord: lan_88, or call 0171 ...", "ring 0171 ... or find lan_88 on TG".
        if phone and not (name and _is_nearer(name, phone, mention, ahead)):
            name = FoundHandle(phone.start, phone.end, service.id, f"{service.id}:{phone.value}")
        if name:
            found.append(name)
    if mentions:
        found += _labelled(passage, mentions, [*occupied, *((h.start, h.end) for h in found)])
        found += _at_names(folded, mentions, [*occupied, *((h.start, h.end) for h in found)])
        found += _handed_out(passage, mentions, [*occupied, *((h.start, h.end) for h in found)])
        if not found and takes_names(SERVICES[mentions[-1].service]):
            last = mentions[-1]
            later = later_handle(passage, SERVICES[last.service], last.end, len(folded))
            found += [later] if later and _is_free(later, occupied) else []
    if phones:
        found += _texted(folded, phones, [(handle.start, handle.end) for handle in found])
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


def _is_nearer(name: FoundHandle, phone: FoundPhone, mention: Mention, ahead: int) -> bool:
    """Whether `name` is nearer to the service than `phone`, on its own side of it."""
    if name.start >= ahead:
        return not mention.end <= phone.start < name.start
    return phone.end <= name.start


def without_codes(phones: list[FoundPhone], handles: list[FoundHandle]) -> list[FoundPhone]:
    """The numbers without the codes of services that look like some: "QQ 2855501934"."""
    codes = {
        (handle.start, handle.end)
        for handle in handles
        if SERVICES[handle.service].codes
        and fits(SERVICES[handle.service], handle.value.partition(":")[2])
    }
    return [phone for phone in phones if (phone.start, phone.end) not in codes]


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


def _is_marked(written: str) -> bool:
    """Whether it cannot be a plain word: digits, underscore, tilde or colon inside."""
    return any(char.isdigit() or char in "_~:#*" for char in written)


@dataclass(frozen=True, slots=True)
class LabelledName:
    """A name with a label before it at `label`: "ID: lan_w", "find me as lan_w"."""

    label: int
    start: int
    end: int
    written: str
    like: int
    is_led: bool


def labelled_names(passage: Passage) -> Iterator[LabelledName]:
    """Names behind a label, whichever service they may belong to."""
    folded = passage.folded
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
        # "find me as", "under the name" and "username" need no sign.
        word = folded[label.start : label.end]
        is_led = sign is not None or " " in word or word in _PLAIN_LABELS
        is_plain = is_led and is_plain_name(
            passage, first, end, loose=sign is not None and sign.group().strip() in _COLONS
        )
        if written not in _NOT_HANDLES and (is_made or (sign and _is_marked(written)) or is_plain):
            yield LabelledName(label.start, ahead.start(), end, written, like, is_led)


def _labelled(
    passage: Passage, mentions: list[Mention], taken: list[tuple[int, int]]
) -> list[FoundHandle]:
    """ "My username there is lan_w": the nearest service named before."""
    found = []
    for name in labelled_names(passage):
        service = _labelled_service(mentions, name)
        handle = FoundHandle(name.start, name.end, service, f"{service}:{name.written.lstrip('~')}")
        if service and _is_free(handle, taken):
            found.append(handle)
    return found


def _labelled_service(mentions: list[Mention], name: LabelledName) -> str:
    """The nearest service before that takes it, else one right behind, else the nearest at all."""
    near = [m for m in reversed(mentions) if 0 <= name.label - m.end <= _NEIGHBOURHOOD]
    near += [m for m in mentions if 0 <= m.start - name.end <= _RIGHT_BEHIND and name.like]
    return service_for(name.written, near, sure=name.like == 2 or name.is_led)


def service_for(written: str, mentions: list[Mention], *, sure: bool) -> str:
    """The first service that allows `written`, else the first messenger if it is `sure` a name."""
    for mention in mentions:
        if fits(SERVICES[mention.service], written):
            return mention.service
    messengers = (m.service for m in mentions if SERVICES[m.service].kind == "messenger")
    return next(messengers, "") if sure else ""


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


def _handed_out(
    passage: Passage, mentions: list[Mention], taken: list[tuple[int, int]]
) -> list[FoundHandle]:
    """Codes somewhere behind a service that hands such codes out: "Threema, but tonight. 9KD4TXW2"."""
    found = []
    for mention in mentions:
        service = SERVICES[mention.service]
        if not service.codes:
            continue
        for match in _HANDED_OUT.finditer(
            passage.text, mention.end, mention.end + _HANDED_OUT_REACH
        ):
            written = match.group().lower()
            handle = FoundHandle(*match.span(), service.id, f"{service.id}:{written}")
            if fits(service, written) and _is_free(handle, taken):
                found.append(handle)
    return found


def _takes_at_names(service: Service, written: str) -> bool:
    return fits(service, written) and not written.isdigit()


def _phone_of(
    folded: str, mention: Mention, ahead: int, phones: list[FoundPhone], mentions: list[Mention]
) -> FoundPhone | None:
    """The number that is offered on the service: behind it, before it, or "the same" as one given.

    Any messenger will do: people offer a number also where the service does not go by numbers.
    """
    same = SAME_NUMBER.search(folded, max(0, mention.start - 28), mention.end + 20)
    if not phones or (SERVICES[mention.service].kind != "messenger" and not same):
        return None
    for phone in phones:
        gap = phone.start - ahead
        if 0 <= gap <= _PHONE_REACH:
            between = folded[ahead : phone.start]
            # Another name or another kind of number in between ends the reach.
            if (
                "\n" in between.strip()
                or (_OTHER_PHONE_LABEL.search(between) and not _JOINED_LABEL.match(between))
                or _SENTENCE_END.search(between.rstrip("( "))
                or any(ahead <= m.start < phone.start for m in mentions)
            ):
                break
            return phone
    for phone in reversed(phones):
        gap = mention.start - phone.end
        if 0 <= gap <= 28 and _PHONE_GAP.fullmatch(folded, phone.end, mention.start):
            return phone
        if 0 <= gap <= _ALSO_REACH and _ALSO_BEHIND.fullmatch(folded, phone.end, mention.start):
            return phone
    for phone in phones:
        if 0 <= phone.start - ahead <= _NEXT_REACH and _NEXT_SENTENCE.fullmatch(
            folded, ahead, phone.start
        ):
            return phone
    if same:
        near = [phone for phone in phones if abs(phone.start - mention.start) <= 240]
        return min(near, key=lambda phone: abs(phone.start - mention.start), default=None)
    return None


def _texted(
    folded: str, phones: list[FoundPhone], taken: list[tuple[int, int]]
) -> list[FoundHandle]:
    """Numbers to which one should send a text message."""
    return [
        FoundHandle(phone.start, phone.end, "sms", f"sms:{phone.value}")
        for phone in phones
        if (phone.start, phone.end) not in taken
        and _TEXT_TO.search(folded, max(0, phone.start - 44), phone.start)
    ]
