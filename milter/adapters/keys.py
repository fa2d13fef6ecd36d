"""Secret keys in files of their own: 32 octets as one line of 64 hexadecimal digits.

Makes a key at the first start and reads it ever after. Refuses keys that others may read, and
never overwrites a file: a lost key means lost holds, so that is for a person to decide.

**Failure:** `Unusable` names the file and the remedy; never the key. It is a configuration error.
"""

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from milter.ports import Unusable

KEY_BYTES = 32
_KEY_LINE = re.compile(rb"([0-9a-fA-F]{64})\s*")
_MOST_BYTES = 200


def load_key(path: Path) -> bytes:
    """Read the key; the file must be regular and closed to group and others."""
    try:
        # O_NONBLOCK: a FIFO in the key's place must not hang the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise Unusable(f"{path}: cannot read the key: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise Unusable(f"{path}: the key must be a regular file")
        mode = stat.S_IMODE(facts.st_mode)
        if mode & 0o077:
            raise Unusable(f"{path}: mode {mode:04o} lets others at the key; run: chmod 600 {path}")
        line = _KEY_LINE.fullmatch(file.read(_MOST_BYTES))
    if line is None:
        raise Unusable(f"{path}: not a key: expected one line of {2 * KEY_BYTES} hex digits")
    return bytes.fromhex(line[1].decode("ascii"))


def load_or_create_key(path: Path) -> bytes:
    """Read the key, or make it if there is none; of several first starts at once, one wins."""
    if not os.path.lexists(path):
        try:
            _create(path)
        except OSError as error:
            raise Unusable(f"{path}: cannot make the key: {error.strerror}") from error
    return load_key(path)


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(KEY_BYTES).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            # A link, unlike a rename, never replaces the key that another process just made.
            os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
