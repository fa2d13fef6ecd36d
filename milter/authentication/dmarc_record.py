"""DMARC policy records, and the walk up the tree of names that finds them.

The walk needs no list of public suffixes: the owners of the names say where an organisation ends.
All its questions (at most eight) are asked at once, for most of them are answered from a cache.

Standards: RFC 9989 §4.7 and §4.8 (record), §4.10 (walk), §4.10.1 (policy), §4.10.2 (organisation);
`pct`, `rf` and `ri` are no longer tags and are ignored like any unknown one.
Failure: a record that is none is left out; a DNS failure is kept apart (`Walk.is_whole`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from milter.mail.dns import Answers, AnswerStatus, Needs, Question

MAX_QUERIES = 8
MAX_RECORD_OCTETS = 8_192

_VERSION = re.compile(rb"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
REQUESTS = ("none", "quarantine", "reject")


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcRecord:
    """One policy record; `policy` is '' where none applies (§4.10.1: no processing)."""

    domain: str
    policy: str
    subdomain_policy: str = ""
    missing_policy: str = ""
    psd: str = "u"
    strict_dkim: bool = False
    strict_spf: bool = False
    is_test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What a walk from `domain` found: the records from the longest name to the shortest.

    `is_whole` is False where a look-up failed: that name and those above it are not known.
    """

    domain: str
    records: tuple[DmarcRecord, ...]
    is_whole: bool = True

    @property
    def organisation(self) -> str:
        """The organisational domain (§4.10.2); the domain itself where nothing says more."""
        for record in self.records:
            if record.psd == "n":
                return record.domain
            if record.psd == "y" and record.domain != self.domain:
                labels = record.domain.count(".") + 2
                return ".".join(self.domain.split(".")[-labels:])
        return self.records[-1].domain if self.records else self.domain

    @property
    def policy_record(self) -> DmarcRecord | None:
        """The record that applies (§4.10.1): the domain's own, its organisation's, its suffix's."""
        by_domain = {record.domain: record for record in self.records}
        for wanted in (self.domain, self.organisation):
            if wanted in by_domain:
                return by_domain[wanted]
        return next((record for record in self.records if record.psd == "y"), None)


def walk_names(domain: str) -> tuple[str, ...]:
    """The names to ask at, longest first, at most eight (§4.10 steps 1, 3, 4 and 7)."""
    labels = domain.split(".")
    above = labels[1:] if len(labels) < MAX_QUERIES else labels[-(MAX_QUERIES - 1) :]
    return (domain, *(".".join(above[start:]) for start in range(len(above))))


def walk_questions(domain: str) -> tuple[Question, ...]:
    """All questions of a walk; names that are too long for the DNS are left out."""
    names = (f"_dmarc.{name}" for name in walk_names(domain))
    return tuple(Question(name, "TXT") for name in names if len(name) <= 253)


def walk(domain: str, answers: Answers) -> Walk | Needs:
    """The walk from one domain, or what is still to be asked for it."""
    questions = walk_questions(domain)
    still_open = tuple(question for question in questions if question not in answers)
    if still_open:
        return Needs(questions=still_open)
    records: list[DmarcRecord] = []
    for question in questions:
        answer = answers[question]
        if answer.status is AnswerStatus.FAILED:
            return Walk(domain=domain, records=tuple(records), is_whole=False)
        record = single_record(question.name.removeprefix("_dmarc."), answer.records)
        if record is not None:
            records.append(record)
            if record.psd in ("y", "n"):
                break
    return Walk(domain=domain, records=tuple(records))


def single_record(domain: str, texts: Iterable[bytes]) -> DmarcRecord | None:
    """The one DMARC record among TXT records; several count as none (§4.10 step 2)."""
    found = [text for text in texts if _VERSION.match(text)]
    return _parse(domain, found[0]) if len(found) == 1 else None


def _parse(domain: str, octets: bytes) -> DmarcRecord | None:
    """Tags by name, in lower case; one that is misspelt has its default (§4.7).

    A list that has a tag twice is none as a whole (RFC 6376 §3.2).
    """
    tags: dict[str, str] = {}
    for clause in octets[:MAX_RECORD_OCTETS].decode("ascii", "replace").split(";"):
        name, equals, value = clause.partition("=")
        name = name.strip(" \t")
        if not equals or not name:
            continue
        if name in tags:
            return None
        tags[name] = value.strip(" \t")
    is_sound = all(_word(tags, name, REQUESTS) for name in ("p", "sp", "np") if name in tags)
    is_sound = is_sound and "p" in tags
    policy = _word(tags, "p", REQUESTS) if is_sound else _policy_of_unsound(tags)
    return DmarcRecord(
        domain=domain,
        policy=policy,
        subdomain_policy=_word(tags, "sp", REQUESTS) if is_sound else "",
        missing_policy=_word(tags, "np", REQUESTS) if is_sound else "",
        psd=_word(tags, "psd", ("y", "n", "u")) or "u",
        strict_dkim=_word(tags, "adkim", ("s",)) == "s",
        strict_spf=_word(tags, "aspf", ("s",)) == "s",
        is_test=_word(tags, "t", ("y",)) == "y",
    )


def _policy_of_unsound(tags: dict[str, str]) -> str:
    """§4.10.1: `none` and nothing else where reports are asked for, else no processing."""
    uris = tags.get("rua", "").split(",")
    return "none" if any(_URI.fullmatch(uri.strip(" \t")) for uri in uris) else ""


def _word(tags: dict[str, str], name: str, words: tuple[str, ...]) -> str:
    value = tags.get(name, "").lower()
    return value if value in words else ""
