"""Accounts to pay to: IBAN, wallets, and names or links of services that pay.

By shape and check digits; where an account is kept says nothing and moves nothing. Values are
`kind:account`. Refuses numbers of cards (nobody asks to be paid to one, and they must not be kept),
and wallets that have no shape of their own.

Standards: ISO 13616 (IBAN), ISO/IEC 7064 (MOD 97-10), BIP 173 and BIP 350 (bech32, bech32m), EIP-55
(its mixed case is not checked: Keccak is not SHA-3).
Failure: none; what does not check is no account.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from nlp.analysis import EntityResult, EntityType
from nlp.entities.passage import MAX_HITS, Passage
from nlp.entities.urls import FoundUrl, normalised_url, split_url

WALLETS = frozenset({"btc", "ltc", "doge", "tron", "evm", "xmr"})
_IBAN = re.compile(r"(?<![a-z0-9])[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,3})?")
_IBAN_LENGTHS = range(15, 35)
_LONG = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{26,95}(?![0-9A-Za-z])")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# The first octet of an address in Base58Check says which ledger it is for.
_VERSIONS = {0x00: "btc", 0x05: "btc", 0x30: "ltc", 0x32: "ltc", 0x1E: "doge", 0x41: "tron"}
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_KINDS = {"bc": "btc", "ltc": "ltc"}
_BECH32_SUMS = frozenset({1, 0x2BC830A3})
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_EVM = re.compile(r"0x[0-9a-f]{40}")
_MONERO = re.compile(rf"[48][{_BASE58}]{{94}}")
_LINKS = (
    ("paypal", "paypal.me", re.compile(r"/([\w.-]{3,40})")),
    ("paypal", "paypal.com", re.compile(r"/paypalme/([\w.-]{3,40})")),
    ("wise", "wise.com", re.compile(r"/pay/(?:me|business)/([\w.-]{3,40})")),
    ("revolut", "revolut.me", re.compile(r"/([\w.-]{3,40})")),
    ("cashapp", "cash.app", re.compile(r"/\$([\w.-]{3,40})")),
    ("venmo", "venmo.com", re.compile(r"/(?:u/)?([\w-]{5,40})")),
)
_TAGS = re.compile(
    r"\b(?P<service>paypal|wise|revolut|cash ?app|venmo)(?: ?tag)?(?: is| id| name)? ?[:=]? ?[@$](?P<name>[a-z0-9][\w.-]{2,38}\w)"
)


def find_payments(passage: Passage, urls: Iterable[FoundUrl]) -> list[EntityResult]:
    """PAYMENT entities with value `kind:account`, in no order."""
    results = [
        passage.entity(EntityType.PAYMENT, url.start, url.end, value, flags=("link",))
        for url in urls
        if (value := link_account(normalised_url(url.url)))
    ]
    found = [*_ibans(passage), *_wallets(passage.text), *_tags(passage.folded)]
    results += [passage.entity(EntityType.PAYMENT, *place) for place in found]
    return results


def link_account(url: str) -> str:
    """The account that a link of a service leads to, or ''."""
    _, host, rest = split_url(url)
    host = host.lower().removeprefix("www.")
    for service, known, path in _LINKS:
        if host == known and (match := path.match(rest)):
            return f"{service}:{match[1].lower()}"
    return ""


def _ibans(passage: Passage) -> Iterator[tuple[int, int, str]]:
    if not passage.digits:
        return
    for match in islice(_IBAN.finditer(passage.folded), MAX_HITS):
        # A word of four letters behind it looks like one more group.
        written = match.group()
        cuts = [
            len(written),
            *(at for at in range(len(written) - 1, 14, -1) if written[at] in " -"),
        ]
        for cut in cuts:
            account = re.sub("[ -]", "", written[:cut]).upper()
            if len(account) in _IBAN_LENGTHS and _mod_97(account) == 1:
                yield match.start(), match.start() + cut, f"iban:{account}"
                break


def _mod_97(account: str) -> int:
    return int("".join(str(int(char, 36)) for char in account[4:] + account[:4])) % 97


def _wallets(text: str) -> Iterator[tuple[int, int, str]]:
    for match in islice(_LONG.finditer(text), MAX_HITS):
        if value := _wallet(match.group()):
            yield match.start(), match.end(), value


def _wallet(written: str) -> str:
    lowered = written.lower()
    if _EVM.fullmatch(lowered):
        return f"evm:{lowered}"
    if _MONERO.fullmatch(written):
        return f"xmr:{written}"
    prefix, one, data = lowered.partition("1")
    if one and prefix in _BECH32_KINDS and written in (lowered, written.upper()):
        return f"{_BECH32_KINDS[prefix]}:{lowered}" if _checks_bech32(prefix, data) else ""
    kind = _VERSIONS.get(_version(written), "") if len(written) < 36 else ""
    return f"{kind}:{written}" if kind else ""


def _version(written: str) -> int:
    """The first octet of a text in Base58Check of 25 octets, -1 if it does not check."""
    number = 0
    for char in written:
        digit = _BASE58.find(char)
        if digit < 0:
            return -1
        number = number * 58 + digit
    if number >> 200:
        return -1
    octets = number.to_bytes(25)
    digest = hashlib.sha256(hashlib.sha256(octets[:21]).digest()).digest()
    return octets[0] if digest[:4] == octets[21:] else -1


def _checks_bech32(prefix: str, data: str) -> bool:
    digits = [_BECH32.find(char) for char in data]
    if min(digits, default=-1) < 0:
        return False
    expanded = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    checksum = 1
    for digit in (*expanded, *digits):
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ digit
        for bit, generator in enumerate(_GENERATOR):
            checksum ^= generator if top >> bit & 1 else 0
    return checksum in _BECH32_SUMS


def _tags(folded: str) -> Iterator[tuple[int, int, str]]:
    for match in islice(_TAGS.finditer(folded), MAX_HITS):
        service = match["service"].replace(" ", "")
        yield match.start("name") - 1, match.end(), f"{service}:{match['name']}"
