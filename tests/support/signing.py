"""A signer of our own for tests, naive on purpose: it follows the words of RFC 6376 line by line.

Keys are made once a run; no test depends on which they are. What a test wants to be wrong, it says.
"""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha1, sha256

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from milter.mail.dns import Answer, AnswerStatus, Question

DOMAIN = "signer.example"
SELECTOR = "key1"
NAME = Question(f"{SELECTOR}._domainkey.{DOMAIN}", "TXT")
NAMES = "from:to:subject:date:message-id"

Private = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

MESSAGE = (
    b"Received: from a.example by b.example; Thu, 14 Jan 2027 15:00:01 +0000\r\n"
    b"From: A Person <a@signer.example>\r\n"
    b"To: b@recipient.example\r\n"
    b"Subject:  two  spaces\r\n\tand a fold \r\n"
    b"Date: Thu, 14 Jan 2027 15:00:00 +0000\r\n"
    b"Message-ID: <1@signer.example>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"\r\n"
    b"Hello  there,\r\n\r\n\twhite space  \r\nand more \t lines.\r\n\r\n\r\n"
)


@cache
def rsa_key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """A key of that size; `number` tells keys of one size apart."""
    return rsa.generate_private_key(65537, bits)


@cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    # Fixed, because records of it name test cases, which must be the same in every process.
    return ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def pem(key: Private) -> bytes:
    """PKCS#1 for RSA, as dkimpy takes it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def public_text(key: Private) -> str:
    """What stands in p=."""
    public = key.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        octets = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    else:
        octets = public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    return b64encode(octets).decode()


def record(key: Private, tags: str = "") -> bytes:
    """A key record; `tags` stand between k= and p=."""
    kind = "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ed25519"
    return f"v=DKIM1; k={kind}; {tags}p={public_text(key)}".encode()


def found(*records: bytes) -> Answer:
    return Answer(status=AnswerStatus.FOUND, records=records)


def answers(key: Private, tags: str = "") -> dict[Question, Answer]:
    """The DNS in which DOMAIN has this key."""
    return {NAME: found(record(key, tags))}


def sign(
    raw: bytes,
    key: Private,
    *,
    canonical: str = "relaxed/relaxed",
    names: str = NAMES,
    tags: str = "",
    algorithm: str = "",
    domain: str = DOMAIN,
    selector: str = SELECTOR,
    version: str = "v=1; ",
    name: str = "DKIM-Signature",
    length: int | None = None,
    digest: bytes | None = None,
) -> bytes:
    """The message with a signature on top; `tags` (each with its semicolon) may be anything."""
    header, _, body = raw.partition(b"\r\n\r\n")
    header += b"\r\n"
    header_mode, _, body_mode = canonical.partition("/")
    kind = algorithm or ("rsa-sha256" if isinstance(key, rsa.RSAPrivateKey) else "ed25519-sha256")
    hashed = sha1 if kind.endswith("sha1") else sha256
    octets = body_of(body, body_mode or "simple")
    if length is not None:
        octets, tags = octets[:length], f"{tags} l={length};"
    body_digest = digest or hashed(octets).digest()
    value = (
        f" {version}a={kind}; c={canonical};{tags} d={domain};\r\n\ts={selector}; h={names};\r\n\t"
        f"bh={b64encode(body_digest).decode()};\r\n\tb="
    ).encode()
    fields = re.findall(rb"[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*", header)
    signed = b""
    left = list(fields)
    for wanted in names.lower().encode().split(b":"):
        for field in reversed(left):
            if field.partition(b":")[0].strip().lower() == wanted.strip():
                signed += field_of(field, header_mode)
                left.remove(field)
                break
    signed += field_of(name.encode() + b":" + value + b"\r\n", header_mode).removesuffix(b"\r\n")
    signature = signature_of(key, hashed(signed).digest(), kind)
    text = b64encode(signature)
    folded = b"\r\n\t ".join(text[start : start + 60] for start in range(0, len(text), 60))
    return name.encode() + b":" + value + folded + b"\r\n" + raw


def signature_of(key: Private, digest: bytes, kind: str) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(digest)
    algorithm = hashes.SHA1() if kind.endswith("sha1") else hashes.SHA256()
    return key.sign(digest, PKCS1v15(), Prehashed(algorithm))


def body_of(body: bytes, mode: str) -> bytes:
    """RFC 6376 §3.4.3 and §3.4.4, line by line."""
    lines = body.split(b"\r\n")
    if lines[-1] == b"":
        lines.pop()
    if mode == "relaxed":
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return b"\r\n" if mode == "simple" else b""
    return b"\r\n".join(lines) + b"\r\n"


def field_of(field: bytes, mode: str) -> bytes:
    """RFC 6376 §3.4.1 and §3.4.2."""
    if mode == "simple":
        return field
    name, _, value = field.partition(b":")
    value = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.strip(b" \t").lower() + b":" + value + b"\r\n"
