"""One-time tokens for mail of our own that passes this filter again: files in a folder.

A token is a random name; its file holds a hash of the body that it was issued for, so that it is
good for nothing else. Redeeming removes the file: of two who try, one succeeds. All fronts of a
machine share the folder; a released mail has to come back to the machine that released it.

Failure: CannotKeep where no token can be written: then nothing is released. A token that was never
redeemed is removed after a day.
"""

import asyncio
import hashlib
import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path

from milter.mail.message import scan_header
from milter.ports import CannotKeep

_TOKEN = re.compile(rb"[0-9a-f]{32}")
_DAY_SECONDS = 86_400.0


class FileReleaseTokens:
    """Implements `ports.ReleaseTokens`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def issue(self, raw: bytes) -> bytes:
        """A new token for a message."""
        return await asyncio.to_thread(self._issue, _body_hash(raw))

    async def redeem(self, token: bytes, raw: bytes) -> bool:
        """True, once, for a token and the body that it was issued for."""
        if not _TOKEN.fullmatch(token):
            return False
        path = self._folder / token.decode("ascii")
        try:
            if path.read_text(encoding="ascii") != _body_hash(raw):
                return False
            path.unlink()
        except OSError:
            return False
        return True

    def _issue(self, body_hash: str) -> bytes:
        token = secrets.token_hex(16)
        try:
            if not self._folder.exists():
                self._folder.mkdir(mode=0o700, exist_ok=True)
                self._give_to_owner(self._folder)
            self._remove_old()
            path = self._folder / token
            with path.open("x", encoding="ascii") as file:
                path.chmod(0o600)
                file.write(body_hash)
            self._give_to_owner(path)
        except OSError as error:
            raise CannotKeep(f"release token: {type(error).__name__}") from None
        return token.encode("ascii")

    def _give_to_owner(self, path: Path) -> None:
        """Root may release what a gateway of another user holds."""
        owner = path.parent.stat()
        if os.geteuid() == 0 and owner.st_uid:
            os.chown(path, owner.st_uid, owner.st_gid)

    def _remove_old(self) -> None:
        before = time.time() - _DAY_SECONDS
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another front has redeemed it
                if path.stat().st_mtime < before:
                    path.unlink()


def _body_hash(raw: bytes) -> str:
    """Over the body without the empty lines at its end, which an MTA may add or drop."""
    body = raw[scan_header(raw).body_start :].rstrip(b"\r\n")
    return hashlib.sha256(body).hexdigest()
