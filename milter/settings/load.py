"""TOML octets to settings, with all problems at once.

Each problem names the file, the key (`listen[0].port`) and what would be right. Standards: TOML
1.0. Failure: ConfigurationError holds every problem; warnings alone do not raise.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from milter.settings.model import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, or (is_warning) that a careful administrator would change."""

    file: str
    key: str
    message: str
    is_warning: bool = False

    def __str__(self) -> str:
        kind = "warning" if self.is_warning else "error"
        return f"{self.file}: {kind}: {self.key}: {self.message}"


class ConfigurationError(Exception):
    """The file cannot be used; `problems` lists all errors and warnings."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Valid settings and the warnings about them."""

    settings: Settings
    warnings: tuple[Problem, ...] = field(default=())


def load_settings(octets: bytes, *, source: str) -> Loaded:
    """Settings from the octets of a TOML file; `source` is its name in messages."""
    from milter.settings.rules import rule_problems

    document = _parse(octets, source)
    try:
        settings = Settings.model_validate(document)
    except ValidationError as error:
        problems = tuple(
            Problem(file=source, key=_key(detail["loc"], document), message=_advice(detail))
            for detail in error.errors()
        )
        raise ConfigurationError(problems) from None
    problems = rule_problems(settings, source=source)
    if any(not problem.is_warning for problem in problems):
        raise ConfigurationError(problems)
    return Loaded(settings=settings, warnings=problems)


def _parse(octets: bytes, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(octets.decode("utf-8"))
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 (octet {error.start}); save the file as UTF-8"
    except tomllib.TOMLDecodeError as error:
        message = f"is not valid TOML: {error}"
    raise ConfigurationError((Problem(file=source, key="(file)", message=message),))


def _key(location: tuple[int | str, ...], document: Mapping[str, Any]) -> str:
    """The key as it stands in the file: pydantic's names of union members are left out."""
    key = ""
    place: Any = document
    for step in location:
        if isinstance(step, int):
            key += f"[{step}]"
            place = place[step] if isinstance(place, list | tuple) and step < len(place) else None
        elif isinstance(place, Mapping) or place is None:
            if place is None and key:
                continue
            key += f".{step}" if key else step
            place = place.get(step) if isinstance(place, Mapping) else None
    return key or "(file)"


def _advice(detail: Any) -> str:
    """What is wrong and what would be right, in plain words."""
    kind, context = detail["type"], detail.get("ctx", {})
    given = repr(detail.get("input"))[:60]
    match kind:
        case "extra_forbidden":
            return "unknown key; see config/gateway.toml for every key there is"
        case "missing":
            return "is required and missing"
        case "literal_error" | "enum":
            return f"is {given}; must be one of {context.get('expected')}"
        case "string_pattern_mismatch":
            return f"is {given}; it does not have the right form ({context.get('pattern')})"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            return f"is {given}; {detail['msg'].removeprefix('Input ')}"
        case _ if "network" in kind or "ip_" in kind:
            return f"is {given}; must be a network such as 192.0.2.0/24 or 2001:db8::/32"
        case _:
            return f"is {given}; {detail['msg'].removeprefix('Input ')}"
