"""The three ARC fields that a hop adds: what it found, its signature of the message, its seal.

Signs the message as it leaves. Refuses to continue what cannot be continued: a chain that was
closed as failed, or that has fifty sets. A chain that has failed here is sealed once more, as
failed, and over our own set only, since nothing else of it can be relied on.

**Standards:** RFC 8617 §4.1 (the fields), §5.1 (sealing), §5.1.2 (failed chains), RFC 6376 §3.4,
RFC 8301 §3.2 (key sizes).
**Failure:** never raises for a message; `load_seal_key` raises ValueError with what is wrong.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from milter.authentication.arc import (
    MAX_INSTANCES,
    BrokenChain,
    Chain,
    highest_instance,
    read_chain,
)
from milter.authentication.canonical import CanonicalForms, canonical_field
from milter.authentication.keys import MAX_RSA_BITS
from milter.mail.message import Header

# RFC 8301 §3.2 lets 1024 pass and asks signers for 2048.
MIN_SEAL_BITS = 2048

# What readers see and filters judge. Not what the servers behind us may take out or change:
# trace fields, results, our own X-Lurewall fields. RFC 8617 §4.1.2 wants DKIM-Signature in it.
_SIGNED = (
    *(b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"reply-to", b"sender"),
    *(b"in-reply-to", b"references", b"mime-version", b"content-type"),
    *(b"content-transfer-encoding", b"list-id", b"list-unsubscribe", b"dkim-signature"),
)
_MAX_OF_A_NAME = 20
_LINE_OCTETS = 76


@dataclass(frozen=True, slots=True, kw_only=True)
class SealKey:
    """A private key and where its public half stands."""

    domain: str
    selector: str
    private: RSAPrivateKey = field(repr=False)

    def sign(self, digest: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 over a SHA-256 digest, in base64."""
        return b64encode(self.private.sign(digest, PKCS1v15(), Prehashed(SHA256())))


def load_seal_key(pem: bytes, *, domain: str, selector: str) -> SealKey:
    """The key of a PEM file; ValueError says what is wrong with it."""
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is no private key in PEM, or one with a password") from None
    if not isinstance(private, RSAPrivateKey):
        raise ValueError("is no RSA key; few servers verify ARC with another kind")
    if not MIN_SEAL_BITS <= private.key_size <= MAX_RSA_BITS:
        raise ValueError(
            f"has {private.key_size} bits; it must have between {MIN_SEAL_BITS} and {MAX_RSA_BITS}"
        )
    return SealKey(domain=domain, selector=selector, private=private)


def key_record(key: SealKey) -> tuple[str, str]:
    """Name and text of the TXT record that has to be published."""
    octets = key.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    name = f"{key.selector}._domainkey.{key.domain}"
    return name, f"v=DKIM1; k=rsa; p={b64encode(octets).decode('ascii')}"


def seal(
    raw: bytes,
    header: Header,
    *,
    status: str,
    results: bytes,
    key: SealKey,
    unix_time: int,
    line_end: bytes = b"\r\n",
) -> tuple[tuple[bytes, bytes], ...]:
    """Names and values of the fields for the top, in their order; none where nothing may be added.

    `raw` is the message as it leaves but for these fields. `status` is what its chain was found to
    be when it came: none, pass or fail. `results` is what stands in Authentication-Results, folded.
    """
    try:
        chain = read_chain(raw, header)
        count = len(chain.seals) if chain else 0
        if (chain is None) != (status == "none"):
            status = "none" if chain is None else "fail"
    except BrokenChain:
        chain, status, count = None, "fail", highest_instance(raw, header)
    if count >= MAX_INSTANCES or (chain is not None and chain.seals[-1].status == "fail"):
        return ()
    forms = CanonicalForms(raw, header)
    found = (b"ARC-Authentication-Results", f" i={count + 1}; ".encode("ascii") + results)
    signed = (
        b"ARC-Message-Signature",
        _message_signature(forms, count + 1, key, unix_time, line_end),
    )
    covered = sha256(_sets(forms, chain) if status == "pass" and chain else b"")
    for name, value in (found, signed):
        covered.update(canonical_field(name + b":", value + line_end, "relaxed"))
    start = (
        f" i={count + 1}; a=rsa-sha256; cv={status}; d={key.domain};%s s={key.selector};"
        f" t={unix_time};%s b="
    ).encode("ascii") % ((line_end + b"\t",) * 2)
    covered.update(canonical_field(b"ARC-Seal:", start, "relaxed").removesuffix(b"\r\n"))
    sealed = (b"ARC-Seal", start + _folded(key.sign(covered.digest()), line_end))
    return sealed, signed, found


def _sets(forms: CanonicalForms, chain: Chain) -> bytes:
    """All sets so far, each as results, message signature, seal (RFC 8617 §5.1.1)."""
    return b"".join(
        forms.field(number, "relaxed")
        for one in chain.seals
        for number in (one.results_number, one.message_number, one.seal_number)
    )


def _message_signature(
    forms: CanonicalForms, instance: int, key: SealKey, unix_time: int, line_end: bytes
) -> bytes:
    names = _signed_names(forms)
    digest = b64encode(forms.body_digest("relaxed"))
    fold = line_end + b"\t"
    value = fold.join(
        (
            f" i={instance}; a=rsa-sha256; c=relaxed/relaxed; d={key.domain};".encode("ascii"),
            f"s={key.selector}; t={unix_time};".encode("ascii"),
            b"h=" + (b":" + fold + b" ").join(_lines(names)) + b";",
            b"bh=" + digest + b";",
            b"b=",
        )
    )
    header = forms.signed_fields(names, "relaxed", without=-1)
    own = canonical_field(b"ARC-Message-Signature:", value, "relaxed").removesuffix(b"\r\n")
    return value + _folded(key.sign(sha256(header + own).digest()), line_end)


def _signed_names(forms: CanonicalForms) -> tuple[bytes, ...]:
    """Each field that is there, and one From more: nobody can add another (RFC 6376 §8.15)."""
    names = [b"from"]
    for name in _SIGNED:
        names += [name] * min(len(forms.numbers(name)), _MAX_OF_A_NAME)
    return tuple(names)


def _lines(names: tuple[bytes, ...]) -> list[bytes]:
    lines = [b""]
    for name in names:
        if len(lines[-1]) + len(name) > _LINE_OCTETS - 4:
            lines.append(b"")
        lines[-1] += b":" + name if lines[-1] else name
    return lines


def _folded(text: bytes, line_end: bytes) -> bytes:
    """A signature in lines; the first begins behind `b=`."""
    width = _LINE_OCTETS - 6
    return (line_end + b"\t ").join(
        text[start : start + width] for start in range(0, len(text), width)
    )
