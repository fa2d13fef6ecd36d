"""The files that come with the product: weights, banners, policy, the commented gateway.toml.

In an installed wheel they lie inside the package; in a source tree they are `config/` at the top.
Shipped files are never edited: an administrator's file replaces or overrides values by name.
Failure: FileNotFoundError means a broken installation.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable


def shipped(name: str) -> Traversable:
    """The shipped file `name`."""
    packaged = files("milter") / "config" / name
    if packaged.is_file():
        return packaged
    source_tree = files("milter") / ".." / "config" / name
    if source_tree.is_file():
        return source_tree
    raise FileNotFoundError(f"shipped file {name} is missing from this installation")


def shipped_text(name: str) -> str:
    """Its text, UTF-8."""
    return shipped(name).read_text(encoding="utf-8")
