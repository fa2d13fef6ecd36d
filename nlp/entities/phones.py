"""Telephone numbers: written, dictated, in any digits; E.164 when the country is clear.

A number counts as a telephone number by how it is written and labelled. Whether its country
validates plays no part: a wrong or rare number must not be read differently from a common one.

Standards: ITU-T E.164 (at most 15 digits).
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from nlp.analysis import EntityResult, EntityType
from nlp.entities.passage import MAX_HITS, Passage
from nlp.entities.spoken import spoken_numbers

_CANDIDATE = re.compile(r"\d[\d ().\-/–‑]{4,26}\d(?![0-9a-z_@%]|[.,:]\d)")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
# A letter o, or a box, for a zero: "010-555O-6648", "13口55502981".
_LETTERED = re.compile(
    r"(?<![0-9a-z_.,-])\d(?=[\d -]{0,12}[o口])(?:[ -]?[\do口]){6,14}(?<=\d)(?![\w@.-]*[\w@])"
)
_DIGITS_ALONE = re.compile(r"[\d -]+")
_HALF_BRACKET = re.compile(r"0\d{1,2}\)")
# An international number whose rest stands on the next line.
_WRAPPED = re.compile(
    r"\d[\d ().-]{1,11}[ -]?\n[ \t>]{0,4}\d[\d .-]{2,11}\d(?=\s*(?:$|[\n,.;!?)]|[^\x00-\x7f]))"
)
_WRAPPED_DIGITS, _HALF_DIGITS = range(10, 16), 9
_LEAD_BACK = re.compile(r"(?:\+\s?|\(\+?)$")
_ATTACHED = re.compile(r"[0-9a-z_/@#=-]\Z|\d[.,:]\Z")  # not `$`: a line may end before the number
_MIN_DIGITS, _MAX_DIGITS = 7, 15

PHONE_LABEL = re.compile(
    r"(?:\b(?:tel|tél|phone|telephone|ph|mob|mobile|cell|cellphone|call|calls|text|sms|fax|dial|ring|whats ?app|viber|zalo|signal|"
    r"téléphone|portable|appelez|numéro|telefon|handy|mobil|rufnummer|anruf|anrufen|nummer|"
    r"teléfono|telefono|móvil|movil|celular|llame|llamar|números?|numeros?|numéros?|nummern|numbers|telefone|telemóvel|ligue|contato|"
    r"тел|телефон\w*|моб|мобильн\w*|номер\w*|звони\w*|позвони\w*|number|direct|line|hotline|contact|reach)\b"
    r"|(?:\b(?:switchboard|landline|pager|reception|helpdesk|vet|fixe|standard|gardien|accueil|téléavertisseur|festnetz|zentrale|pforte|durchwahl|"
    r"fijo|guardia|refuerzo|centralita|recepción|llam\w+|fixo|cel|liga\w*|ligar|plantão|reforço|recepção|contacto|"
    r"домашний|городской|диспетчер\w*|дежурн\w+|вахт\w+|при[её]мн\w+|отменить|сбп|набер\w+|набира\w+)\b)"
    r"|手机|手機|电话|電話|联系方式|聯絡|致电|致電|号码|號碼|微信|拨|撥|打给|打給|请打|請打|直接打|门口打|座机|座機|热线|熱線|客服|电联|電聯|传真|傳真"
    r"|전화|휴대폰|핸드폰|연락처|번호|통화|가게|콜센터|هاتف|جوال|الجوال|موبايل|اتصل|رقم|محمول|كلمني|كلمن[اي]|دق|للاستفسار|للتأجيل|للحجز|☎|📞|📱)"
)
# Words that announce a number only right before it.
_AT_ONCE = re.compile(
    r"(?:(?<![^\W_])(?:au|al|en el|ao|no|am|unter|at|on|or|ou|o|oder|или|по|perdeu-se\?|lost\?|диспетчер|домашний)|打|急就|报名|報名|前台|管理處|管理处|櫃檯|柜台|店里|店內|我|أو|على)"
    r"[\s:：]{0,2}$"
)
_OTHER_LABEL = re.compile(
    r"(?:\b(?:order|invoice|ref|reference|case|ticket|iban|bic|account no|acct|blz|isbn|issn|doi|rfc|p\.?o|contract|"
    r"tracking|serial|passcode|meeting id|id|tax|vat|siret|siren|bug|build|version|page|pages|project no|docket|"
    r"commande|facture|dossier|rechnung\w*|bestell\w*|kunden\w*|auftrags\w*|pedido|factura|fatura|expediente|"
    r"заказ\w*|счёт\w*|счет\w*|инн|окпо|огрн|договор\w*|zip|postcode|code|pin|otp|msgid|message-id|commit)\b"
    r"|订单|訂單|发票|發票|单号|單號|会议号|會議號|税号|编号|編號|주문|송장|사업자|طلب|فاتورة|№)"
    r"\s?(?:n[o°º]?\.?|nr\.?|number|num|#|id|nummer|номер\w*|号|號|번호|رقم)?\s?(?:is|are|:|#|=)?\s?[#:]?\s?[a-z]{0,3}[-#]?$"
)
_DATE_OR_TIME = re.compile(
    r"^(?:(?:19|20)\d\d[-./ ][01]?\d[-./ ][0-3]?\d(?:\D.*)?|[0-3]?\d[-./][0-3]?\d[-./](?:19|20)?\d\d(?:\D.*)?"
    r"|(?:19|20)\d\d ?[-–/] ?(?:19|20)\d\d|\d{1,3}(?:\.\d{1,3}){3})$"
)
_IN_PAIRS = re.compile(r"^0[1-9](?P<gap>[ .-])\d{2}(?:(?P=gap)\d{2}){3}$")  # 06.12.34.56.78
_IBAN_BEFORE = re.compile(r"\b[a-z]{2}\d{2} ?$|\b[a-z]{2}\d{2}(?: [0-9a-z]{4})+ ?$")
_THOUSANDS = re.compile(r"^\d{1,3}(?:[. ]\d{3})+$")
_MONEY_AFTER = re.compile(
    r"\s?(?:[$€£¥₩₽₹]|eur|usd|cad|gbp|chf|rmb|cny|元|円|万|원|руб|dollars?|euros?|%)"
)
_MONEY_BEFORE = re.compile(r"(?:[$€£¥₩₽₹]|eur|usd|cad|gbp|chf|rmb|cny)\s?$")
_NATIONAL = re.compile(
    r"^(?:\(0?\d{1,5}\)[ -]?\d{2,5}(?:[ .-]?\d{2,5}){1,3}"  # (514) 555-0123
    r"|0\d{1,5}(?:[ .-]| ?/ ?)\d{2,8}(?:[ .-]\d{1,6}){0,4}"  # 0171 2345678, 06 12 34 56 78
    r"|0\d{1,2}\) ?\d{3,4}-\d{4}"  # 02) 123-4567
    r"|1 \(\d{3}\) ?\d{3}-\d{4}"  # 1 (604) 555-0123
    r"|(?:1[-. ])?(?![01])\d{3}(?P<gap>[-. ])\d{3}(?P=gap)\d{4}"  # 514-555-0123, 1-800-555-0123
    r"|[2-9]\d{2}/\d{3}[-. ]\d{4}"  # 514/555-0123
    r"|8[ -]?\(?\d{3}\)?[ -]?\d{3}[ -]\d{2}[ -]\d{2}"  # 8-912-345-67-89
    r"|8[ -]?\(\d{4,5}\)[ -]?\d{1,2}[ -]\d{2}[ -]\d{2}"  # 8 (4812) 55-50-31
    r"|\(?[1-9]\d\)?[ -]9[ .]?\d{4}[ .-]\d{4}"  # 11 95550-0164, (48) 9 9555-0174
    r"|[6-9]\d{2} \d{2} \d{2} \d{2}"  # 654 55 01 22
    r"|[1-9]\d-\d{4}-\d{4}"  # 11-3555-0119
    r"|0[1-9]\d{8,9}"  # 0765710033: one that nobody counts with
    r"|01\d ?- ?\d{3,4} ?- ?\d{4}"  # 010 - 5550 - 6412
    r"|0\d{2,4} - \d[\d ]{5,10}\d"  # 0151 - 555 0 1 33
    r"|(?![01])\d{3} \d{3}-\d{4}"  # 450 555-0179
    r"|1[3-9]\d{3} \d{3} \d{3}"  # 13761 220 094
    r"|1[38]00 \d{3} \d{3}"  # 1300 555 019
    r"|[1-9]\d{2}[ -]\d{4}[ -]\d{4})$"  # 138 0013 8000
)

# What a word right before makes a number: eight digits in two halves, or all in one.
_LOCAL = re.compile(
    r"^(?:\d{3,4}[ -]\d{4}|0[1-9]\d{7,9}|[6-9]\d{2} \d{3} \d{3}|[1-9]\d{1,2} \d{3} \d{2} \d{2})$"
)


@dataclass(frozen=True, slots=True)
class FoundPhone:
    """A number at view[start:end]; `value` is E.164 or bare digits."""

    start: int
    end: int
    value: str


def locate_phones(
    passage: Passage, taken: list[tuple[int, int]], labels: Sequence[int] = ()
) -> list[FoundPhone]:
    """All telephone numbers outside the `taken` spans (links, addresses), in text order.

    `labels` are the ends of words that announce a number like "Tel:", such as names of messengers.
    """
    folded = _in_ascii_digits(passage.folded)
    found = list(_lettered(folded, taken))
    taken = [*taken, *((phone.start, phone.end) for phone in found)]
    done = 0
    for start in passage.digits:
        match = _CANDIDATE.match(folded, start)
        if start < done or match is None:
            continue
        done = end = match.end()
        if lead := _LEAD_BACK.search(folded, max(0, start - 3), start):
            if wrapped := _wrapped(folded, start):
                found.append(FoundPhone(lead.start(), wrapped.end(), e164(f"+{wrapped.group()}")))
                done = wrapped.end()
                continue
            start = lead.start()
        if _ATTACHED.search(folded, max(0, start - 2), start):
            continue
        if any(a < end and start < b for a, b in taken):
            continue
        if phone := _judged(folded, start, end, labels):
            found.append(phone)
    written = sorted((phone.start, phone.end) for phone in found)
    for start, end, digits in spoken_numbers(passage):
        # Written numbers do not overlap, so only the last that begins before `end` can reach in.
        at = bisect_left(written, (end, end))
        if at == 0 or written[at - 1][1] <= start:
            found.append(FoundPhone(start, end, e164(digits)))
    found.sort(key=lambda phone: phone.start)
    return found


def _lettered(folded: str, taken: list[tuple[int, int]]) -> Iterator[FoundPhone]:
    """Announced numbers with letters among the digits."""
    for match in islice(_LETTERED.finditer(folded), MAX_HITS):
        start, end = match.span()
        before = folded[max(0, start - 34) : start].rpartition("\n")[2]
        if _DIGITS_ALONE.fullmatch(match.group()) or any(a < end and start < b for a, b in taken):
            continue
        if PHONE_LABEL.search(before) or _AT_ONCE.search(before):
            yield FoundPhone(start, end, e164(re.sub("[o口]", "0", match.group())))


def _in_ascii_digits(folded: str) -> str:
    """The same text with the digits of every script as 0 to 9, place by place."""
    if folded.isascii():
        return folded
    return _OTHER_DIGIT.sub(lambda digit: str(int(digit.group())), folded)


def _wrapped(folded: str, start: int) -> re.Match[str] | None:
    """The number at `start` with its rest on the next line, if only both together are one."""
    match = _WRAPPED.match(folded, start)
    if match is None:
        return None
    first, _, rest = match.group().partition("\n")
    digits = sum(char.isdigit() for char in first)
    both = digits + sum(char.isdigit() for char in rest)
    return match if digits <= _HALF_DIGITS and both in _WRAPPED_DIGITS else None


def find_phones(passage: Passage, found: list[FoundPhone] | None = None) -> list[EntityResult]:
    """PHONE entities: E.164 where the number says its country, else digits."""
    return [
        passage.entity(EntityType.PHONE, phone.start, phone.end, phone.value)
        for phone in (locate_phones(passage, []) if found is None else found)
    ]


def e164(written: str) -> str:
    """`written` as +digits if it starts with + or 00, else its digits; always ASCII."""
    text = "".join(
        str(int(char)) if char.isdecimal() else char for char in written.replace("%2B", "+")
    ).strip()
    digits = "".join(char for char in text if char.isdigit())
    if text.startswith("00"):
        text = "+" + text[2:]
        digits = digits[2:]
    if not text.lstrip("( ").startswith("+"):
        return digits
    return _international(text.lstrip("( ")) or f"+{digits}"


@lru_cache(maxsize=1024)
def _international(text: str) -> str:
    # Imported here: its tables take 20 MB and most mail holds no number.
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, parse

    try:
        return str(format_number(parse(text), PhoneNumberFormat.E164))
    except NumberParseException:
        return ""


def _judged(folded: str, start: int, end: int, labels: Sequence[int] = ()) -> FoundPhone | None:
    written = folded[start:end]
    if written.startswith("(") and ")" not in written:
        start += 1
        written = written[1:]
    cut = next((i for i in range(len(written) - 1) if written[i : i + 2] in ("  ", "- ", "/ ")), -1)
    if cut > 0 and sum(char.isdigit() for char in written[:cut]) >= _MIN_DIGITS:
        written = written[:cut].rstrip()
    written, count = _shortened(written)
    end = start + len(written)
    before = folded[max(0, folded.rfind("\n", 0, start) + 1, start - 34) : start]
    is_international = written.lstrip("(").startswith("+")
    if not is_international and written.startswith("00"):
        is_international = count >= 11 and written[2:].lstrip(" -./(")[:1] != "0"  # no such country
    after = folded[end : end + 12]
    if _MONEY_AFTER.match(after) or _MONEY_BEFORE.search(before):
        return None
    if is_international:
        if count < _MIN_DIGITS or (
            _THOUSANDS.match(written.lstrip("+")) and count % 3 == 0 and count < 10
        ):
            return None
        return FoundPhone(start, end, e164(written))
    labelled = PHONE_LABEL.search(before) is not None or any(
        start - len(before) <= label <= start for label in labels
    )
    is_date = _DATE_OR_TIME.match(written) and not _IN_PAIRS.match(written)
    if count < _MIN_DIGITS or count > _MAX_DIGITS or is_date:
        return None
    if _OTHER_LABEL.search(before) or _IBAN_BEFORE.search(before):
        return None
    is_announced = labelled or (
        _LOCAL.match(written) is not None and _AT_ONCE.search(before) is not None
    )
    if not is_announced and (written.startswith("00") or not _NATIONAL.match(written)):
        return None
    if written.count("(") != written.count(")") and not _HALF_BRACKET.match(written):
        return None
    return FoundPhone(start, end, e164(written))


def _shortened(written: str) -> tuple[str, int]:
    """At most fifteen digits (and an international 00), cut where groups end."""
    limit = _MAX_DIGITS + 2 * written.startswith("00")
    count = sum(char.isdigit() for char in written)
    while count > limit:
        cut = max(written.rfind(gap) for gap in " -./–")
        if cut <= 0:
            break
        written = written[:cut].rstrip(" -./–(")
        count = sum(char.isdigit() for char in written)
    return written, count
