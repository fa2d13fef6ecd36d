"""Word lists and tables as data: TOML beside this file, each with a note on where it comes from."""

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any


@lru_cache(maxsize=32)
def read(name: str) -> dict[str, Any]:
    """The table of `name`.toml; a missing or broken file is our own bug and raises."""
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """Words that many letters have, folded (`nlp.training.common_words`)."""
    return frozenset(files(__name__).joinpath("common.txt").read_text(encoding="utf-8").split())
