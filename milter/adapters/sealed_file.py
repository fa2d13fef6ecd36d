"""Files whose sections are encrypted and bound to their place: AES-256-GCM in chunks.

A file is a header (magic, key id, salt) and sections: kind (1 octet), length (8), then chunks of
1 MiB plus tag. Each file has a key of its own, derived from the secret, its salt and its name, so
nonces may count. Name, kind and length are associated data and the last chunk is marked: swapped,
renamed, reordered, cut or lengthened sections do not open. Knows nothing of mail.

**Standards:** NIST SP 800-38D (GCM), the last-chunk flag after the STREAM construction.
**Failure:** `SealBroken` says in a few words what does not fit; no partial text comes out.
"""

import hmac
import os
import struct
from collections.abc import Sequence
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MAGIC = b"LWS1"
_SALT_BYTES = 16
_KEY_ID_BYTES = 8
_HEADER_BYTES = len(_MAGIC) + _KEY_ID_BYTES + _SALT_BYTES
_SECTION = struct.Struct(">BQ")
_NONCE = struct.Struct(">BxxxxxxIB")
_CHUNK_BYTES = 1 << 20
_TAG_BYTES = 16


class SealBroken(Exception):
    """The file is not what was sealed under this name with this key."""


class SealingKey:
    """Derives the key of each file from one secret; `key_id` tells keys apart, and no more."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.key_id = hmac.digest(secret, b"key id", "sha256")[:_KEY_ID_BYTES]

    def for_file(self, salt: bytes, name: bytes) -> AESGCM:
        """The cipher of one file."""
        return AESGCM(hmac.digest(self._secret, b"file\0" + salt + name, "sha256"))


def write_sealed(
    file: BinaryIO, key: SealingKey, name: str, sections: Sequence[tuple[int, bytes]]
) -> None:
    """Write header and sections; a kind stands at most once in a file."""
    salt = os.urandom(_SALT_BYTES)
    cipher = key.for_file(salt, name.encode("ascii"))
    file.write(_MAGIC + key.key_id + salt)
    for kind, content in sections:
        head = _SECTION.pack(kind, len(content))
        bound = head + name.encode("ascii")
        file.write(head)
        view = memoryview(content)
        for number in range(_chunk_count(len(content))):
            start = number * _CHUNK_BYTES
            last = start + _CHUNK_BYTES >= len(content)
            chunk = view[start : start + _CHUNK_BYTES]
            file.write(cipher.encrypt(_NONCE.pack(kind, number, last), chunk, bound))


def read_sealed(file: BinaryIO, key: SealingKey, name: str, kind: int) -> bytes:
    """The content of one section."""
    header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise SealBroken("not a sealed file")
    if header[len(_MAGIC) :][:_KEY_ID_BYTES] != key.key_id:
        raise SealBroken("sealed with another key")
    length = _seek_section(file, kind)
    cipher = key.for_file(header[-_SALT_BYTES:], name.encode("ascii"))
    bound = _SECTION.pack(kind, length) + name.encode("ascii")
    chunks: list[bytes] = []
    for number in range(_chunk_count(length)):
        last = (number + 1) * _CHUNK_BYTES >= length
        size = length - number * _CHUNK_BYTES if last else _CHUNK_BYTES
        sealed = file.read(size + _TAG_BYTES)
        # Before decrypting: a forged length makes neither a large buffer nor a long loop.
        if len(sealed) < size + _TAG_BYTES:
            raise SealBroken("cut short")
        try:
            chunks.append(cipher.decrypt(_NONCE.pack(kind, number, last), sealed, bound))
        except InvalidTag:
            raise SealBroken("changed since it was sealed") from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _chunk_count(length: int) -> int:
    """Empty content has a chunk too, so that its emptiness is authenticated."""
    return max(1, -(-length // _CHUNK_BYTES))


def _seek_section(file: BinaryIO, wanted: int) -> int:
    while True:
        head = file.read(_SECTION.size)
        if len(head) < _SECTION.size:
            raise SealBroken("cut short")
        kind, length = _SECTION.unpack(head)
        if kind == wanted:
            return int(length)
        try:
            file.seek(length + _chunk_count(length) * _TAG_BYTES, os.SEEK_CUR)
        except (OSError, OverflowError):
            raise SealBroken("changed since it was sealed") from None
