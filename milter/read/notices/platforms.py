"""The table of networks, as `platforms.toml` has it, made ready to be asked.

Patterns are regular expressions of our own in which `{name}` stands for the member, `{org}` and
`{role}` for what a headline says. Subjects and headlines of all languages are tried on every text:
a network writes in the language of the recipient's account, which no field names.

**Failure:** a fault in the table is a fault of the program, and raises where it is loaded.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

_PLACES = {
    "{name}": r"(?P<name>[^\n,:;!?]{1,60}?(?:, [^\n,:;!?]{1,20})?)",
    "{org}": r"(?P<org>[^\n|·•]{2,80}?)",
    "{role}": r"(?P<role>[^\n|·•]{2,100}?)",
    "{any}": r"(?:[^\n]{1,80}?)",
}

Patterns = tuple[tuple[str, re.Pattern[str]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One network. `domains` are those of header-from, `aliases` those whose addresses stand for a
    person; `signing` are the d= that vouch for a notice, `reply_hosts` where answers may go."""

    id: str
    names: tuple[str, ...]
    domains: frozenset[str]
    aliases: frozenset[str]
    signing: tuple[str, ...]
    reply_hosts: frozenset[str]
    template_field: bytes
    class_field: bytes
    templates: tuple[tuple[str, str], ...]
    classes: dict[str, str]
    subjects: Patterns
    via: re.Pattern[str]
    thread: re.Pattern[str] | None
    is_form_checked: bool

    @property
    def own_domains(self) -> frozenset[str]:
        """All that no member has an address of his own in."""
        return self.domains | self.aliases | self.reply_hosts | frozenset(self.signing)

    def owns(self, domain: str) -> bool:
        """Is this one of its domains, or below one?"""
        return any(domain == one or domain.endswith("." + one) for one in self.own_domains)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All networks, and what their notices have in common."""

    by_domain: dict[str, Platform]
    by_field: dict[bytes, Platform]
    by_name: dict[str, Platform]
    headlines: tuple[re.Pattern[str], ...]
    footers: re.Pattern[str]
    post_nominals: frozenset[str]


@lru_cache(maxsize=1)
def table() -> Table:
    """The table that ships, read once a process."""
    text = files(__package__).joinpath("platforms.toml").read_text("utf-8")
    return parse_table(tomllib.loads(text))


def parse_table(data: dict[str, Any]) -> Table:
    """The table of a parsed file."""
    common = _subjects(data["subjects"])
    platforms = [_platform(one, common, data["names"]["via"]) for one in data["platform"]]
    names = [(name, one) for one in platforms for name in one.names]
    return Table(
        by_domain={domain: one for one in platforms for domain in one.domains | one.aliases},
        by_field={
            field: one
            for one in platforms
            for field in (one.template_field, one.class_field)
            if field
        },
        by_name={name.casefold(): one for name, one in names},
        headlines=tuple(
            _pattern(pattern) for lines in data["headlines"].values() for pattern in lines
        ),
        footers=re.compile(
            "|".join(f"(?:{one})" for lines in data["footers"].values() for one in lines), re.I
        ),
        post_nominals=frozenset(_folded(one) for one in data["names"]["post_nominals"]),
    )


def _platform(data: dict[str, Any], common: Patterns, via: list[str]) -> Platform:
    return Platform(
        id=data["id"],
        names=tuple(data["names"]),
        domains=frozenset(data["domains"]),
        aliases=frozenset(data.get("aliases", ())),
        signing=tuple(data["signing"]),
        reply_hosts=frozenset(data.get("reply_hosts", ())),
        template_field=data.get("template_field", "").lower().encode("ascii"),
        class_field=data.get("class_field", "").lower().encode("ascii"),
        templates=tuple(
            sorted(
                (
                    (prefix, kind)
                    for kind, all_ in data.get("templates", {}).items()
                    for prefix in all_
                ),
                key=lambda each: -len(each[0]),
            )
        ),
        classes={one: kind for kind, all_ in data.get("classes", {}).items() for one in all_},
        subjects=(*_subjects(data.get("subjects", {})), *common),
        via=_via(via, data["names"]),
        thread=re.compile(data["thread"]) if "thread" in data else None,
        is_form_checked="form" in data["checked"],
    )


def _subjects(data: dict[str, dict[str, list[str]]]) -> Patterns:
    return tuple(
        (kind, _pattern(pattern))
        for language in data.values()
        for kind, patterns in language.items()
        for pattern in patterns
    )


def _pattern(text: str) -> re.Pattern[str]:
    for place, pattern in _PLACES.items():
        text = text.replace(place, pattern)
    return re.compile(text, re.IGNORECASE)


def _via(forms: list[str], names: list[str]) -> re.Pattern[str]:
    """Behind a display name: by way of this network."""
    longest_first = sorted(names, key=len, reverse=True)
    alternatives = f"(?:{'|'.join(map(re.escape, longest_first))})"
    joined = "|".join(form.replace("{platform}", alternatives) for form in forms)
    return re.compile(rf"\s*(?:{joined})\s*$", re.IGNORECASE)


def _folded(word: str) -> str:
    return word.replace(".", "").casefold()
