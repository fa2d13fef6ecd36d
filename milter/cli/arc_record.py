"""`lurewall arc-record FILE`: the DNS records that let others verify our ARC seals.

In the form of a zone file, strings of at most 255 octets (RFC 1035 §3.3.14). Exit codes: 0 printed,
2 the configuration has no `[arc]`, or a key that cannot be used.
"""

from pathlib import Path
from typing import Annotated

import typer

from milter.authentication.seal import key_record
from milter.cli.options import fail, say
from milter.ports import Unusable
from milter.settings import ConfigurationError, load_settings
from milter.settings.arc_keys import seal_key

_STRING_OCTETS = 255


def arc_record(file: Annotated[Path, typer.Argument(help="gateway.toml")]) -> None:
    """Print the DNS records to publish for the keys of `[arc]`."""
    try:
        settings = load_settings(file.read_bytes(), source=str(file)).settings
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    except ConfigurationError as error:
        say(error.problems)
        raise typer.Exit(2) from None
    if settings.arc is None:
        fail(f"{file} has no [arc]: nothing is sealed")
    for key in settings.arc.keys:
        try:
            name, text = key_record(seal_key(settings.arc, key))
        except Unusable as error:
            fail(str(error))
        strings = " ".join(
            f'"{text[start : start + _STRING_OCTETS]}"'
            for start in range(0, len(text), _STRING_OCTETS)
        )
        print(f"; seals from {key.begins}")
        print(f"{name}. 3600 IN TXT ( {strings} )")
