"""Typed, frozen settings: one file in, either whole settings or every problem at once.

- `model`: every key with its type, default and unit.
- `load`: TOML octets to `Settings`; problems in plain words with file, key and what would be right.
- `rules`: what no single key can say (mx needs domains, enforce needs a contact, ...).
- `shipped`: the files that come with the product (weights, banners, commented gateway.toml).

Refuses to touch the network; whether a folder can be written or a port is free is asked by
`rules.environment_problems`, which `check-config` and `serve` call.
Failure: `ConfigurationError` with all problems; nothing is half loaded.
"""

from milter.settings.load import ConfigurationError, Loaded, Problem, load_settings
from milter.settings.model import Settings

__all__ = ["ConfigurationError", "Loaded", "Problem", "Settings", "load_settings"]
