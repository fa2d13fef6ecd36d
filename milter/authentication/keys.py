"""Public keys from the DNS: the record, what it allows, and the key itself.

Refuses keys that are too short to prove anything, too long to be worth the time, and records that
are not one record. What a refusal is called in Authentication-Results stands in `Refusal`.

**Standards:** RFC 6376 §3.6 (records; v, h, k, p, s, t), §6.1.2 (what is wrong with a key),
RFC 8301 §3.2 (1024 to 4096 bits), RFC 8463 §4 (Ed25519).
**Failure:** never raises.
"""

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from milter.authentication.taglist import decode_base64, parse_tags, without_white
from milter.mail.dns import Answer, Answers, AnswerStatus, Question

MIN_RSA_BITS = 1024
MAX_RSA_BITS = 4096
# A record with a key of 4096 bits has some 750 octets; n= is free text that nobody needs.
MAX_RECORD_OCTETS = 4_096
MAX_RECORDS = 4
# Exponents in use are 3 and 65537; a long one makes verification as slow as signing.
_MAX_EXPONENT_BITS = 64
_PADDING = PKCS1v15()
_PREHASHED = Prehashed(SHA256())


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a signature has no verdict of its own; `result` is a word of RFC 8601 §2.7.1."""

    result: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A usable key; `kind` is rsa or ed25519.

    `is_test` and `is_strict` are the flags y and s of the record.
    """

    kind: str
    key: RSAPublicKey | Ed25519PublicKey
    is_test: bool = False
    is_strict: bool = False

    def verifies(self, signature: bytes, digest: bytes) -> bool:
        """Is this the signature of that SHA-256 digest?"""
        try:
            if isinstance(self.key, RSAPublicKey):
                self.key.verify(signature, digest, _PADDING, _PREHASHED)
            else:
                self.key.verify(signature, digest)  # RFC 8463 §3: the digest is what is signed
        except (InvalidSignature, ValueError, UnsupportedAlgorithm):
            return False
        return True


def trimmed(answer: Answer) -> Answer:
    """The answer with no more octets than it takes to see that it is too large."""
    records = tuple(record[: MAX_RECORD_OCTETS + 1] for record in answer.records[: MAX_RECORDS + 1])
    if len(records) > MAX_RECORDS:
        records = (b"",) * len(records)  # too many, whatever they say
    return answer if records == answer.records else Answer(status=answer.status, records=records)


def find_key(answers: Answers, question: Question) -> PublicKey | Refusal:
    """The key that the DNS has under that name."""
    answer = answers.get(question)
    if answer is None or answer.status is AnswerStatus.FAILED:
        return Refusal(result="temperror", reason="the key could not be asked for")
    if answer.status is not AnswerStatus.FOUND or not answer.records:
        return Refusal(result="permerror", reason="no key")
    if len(answer.records) > MAX_RECORDS:
        return Refusal(result="permerror", reason="too many records under the name of the key")
    if len(answer.records) == 1:
        return _read_record(answer.records[0])
    # RFC 6376 §3.6.2.2: more than one record has no defined meaning. Text that is no key at all
    # (a wildcard's) does not count as one.
    keys = [record for record in answer.records if _is_key_record(record)]
    if len(keys) == 1:
        return _read_record(keys[0])
    return Refusal(result="permerror", reason="no key" if not keys else "more than one key record")


def _is_key_record(record: bytes) -> bool:
    tags = parse_tags(record) if len(record) <= MAX_RECORD_OCTETS else None
    return tags is not None and "p" in tags


@lru_cache(maxsize=512)
def _read_record(record: bytes) -> PublicKey | Refusal:
    """A pure function of the record; remembered because few domains sign most of the mail."""
    if len(record) > MAX_RECORD_OCTETS:
        return Refusal(result="permerror", reason="the key record is too long")
    tags = parse_tags(record)
    if tags is None or tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return Refusal(result="permerror", reason="no valid key record")
    if "v" in tags and next(iter(tags)) != "v":
        return Refusal(result="permerror", reason="no valid key record")  # §3.6.1: v= stands first
    if not _names(tags.get("s", "*")) & {"*", "email"}:
        return Refusal(result="permerror", reason="the key is not for mail")
    if not without_white(tags["p"]):
        return Refusal(result="permerror", reason="the key was revoked")
    if "h" in tags and "sha256" not in _names(tags["h"]):
        return Refusal(result="permerror", reason="the key is for another hash")
    octets = decode_base64(tags["p"])
    if octets is None:
        return Refusal(result="permerror", reason="no valid key record")
    flags = _names(tags.get("t", ""))
    match without_white(tags.get("k", "rsa")):
        case "rsa":
            key: RSAPublicKey | Ed25519PublicKey | Refusal = _rsa(octets)
        case "ed25519":
            key = _ed25519(octets)
        case _:
            return Refusal(result="permerror", reason="the key is of an unknown kind")
    if isinstance(key, Refusal):
        return key
    return PublicKey(
        kind="rsa" if isinstance(key, RSAPublicKey) else "ed25519",
        key=key,
        is_test="y" in flags,
        is_strict="s" in flags,
    )


def _rsa(octets: bytes) -> RSAPublicKey | Refusal:
    """SubjectPublicKeyInfo as everybody publishes it, or the bare RSAPublicKey of the RFC."""
    try:
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        return Refusal(result="permerror", reason="no valid key record")
    if not isinstance(key, RSAPublicKey):
        return Refusal(result="permerror", reason="the key is not of the kind it says")
    if key.key_size < MIN_RSA_BITS:
        return Refusal(result="policy", reason=f"the key has only {key.key_size} bits")
    if key.key_size > MAX_RSA_BITS or key.public_numbers().e.bit_length() > _MAX_EXPONENT_BITS:
        return Refusal(result="policy", reason="the key is too large")
    return key


def _ed25519(octets: bytes) -> Ed25519PublicKey | Refusal:
    try:
        return Ed25519PublicKey.from_public_bytes(octets)
    except (ValueError, UnsupportedAlgorithm):
        return Refusal(result="permerror", reason="no valid key record")


def _names(value: str) -> frozenset[str]:
    return frozenset(without_white(value).split(":"))
