"""The keys of `[arc]`, read from their files.

Failure: Unusable names the file and what is wrong with it.
"""

import stat

from milter.authentication.seal import SealKey, load_seal_key
from milter.mail.address import to_a_labels
from milter.ports import Unusable
from milter.settings.model import Arc, ArcKey


def seal_key(arc: Arc, key: ArcKey) -> SealKey:
    """One key of `[[arc.keys]]`; raises Unusable."""
    try:
        pem = key.key_file.read_bytes()
        mode = stat.S_IMODE(key.key_file.stat().st_mode)
    except OSError as error:
        raise Unusable(f"cannot read {key.key_file}: {error.strerror}") from None
    if mode & 0o007:
        raise Unusable(f"{key.key_file}: mode {mode:04o} lets everybody at the key; chmod 640 it")
    try:
        domain = to_a_labels(arc.domain) or ""  # `rules` refuses what is no name
        return load_seal_key(pem, domain=domain, selector=key.selector)
    except ValueError as error:
        raise Unusable(f"{key.key_file} {error}") from None
