"""The keys of `[arc]`, read from their files.

Failure: Unusable names the file and what is wrong with it.
"""

from milter.authentication.seal import SealKey, load_seal_key
from milter.mail.address import to_a_labels
from milter.ports import Unusable
from milter.settings.model import Arc, ArcKey


def seal_key(arc: Arc, key: ArcKey) -> SealKey:
    """One key of `[[arc.keys]]`; raises Unusable."""
    try:
        pem = key.key_file.read_bytes()
    except OSError as error:
        raise Unusable(f"cannot read {key.key_file}: {error.strerror}") from None
    try:
        domain = to_a_labels(arc.domain) or ""  # `rules` refuses what is no name
        return load_seal_key(pem, domain=domain, selector=key.selector)
    except ValueError as error:
        raise Unusable(f"{key.key_file} {error}") from None
