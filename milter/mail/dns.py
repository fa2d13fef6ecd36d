"""Questions to the DNS and their answers, as values: one part needs them, another asks.

What is verified against the DNS (signatures, SPF, DMARC) is pure: it takes the answers there are
and either gives its result or names the questions that are still open. So the same code runs in a
front, which may ask, and in a reader, which may not. Asking is `ports.Resolver`.

Standards: RFC 1035 §3.1 (names), RFC 2308 (no such name, no such record), RFC 7208 §3.3 (the
strings of a TXT record are one text).
Failure: an answer that could not be had is `FAILED`, never taken for an absence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Question(NamedTuple):
    """A name (lower case, A-labels, no final dot) and a record type (TXT, A, AAAA, MX, PTR)."""

    name: str
    kind: str


class AnswerStatus(StrEnum):
    """What became of a question. FAILED: SERVFAIL, a timeout, or a budget that was used up."""

    FOUND = "found"
    NO_RECORD = "no_record"
    NO_NAME = "no_name"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The records of one question, in the order of the DNS.

    TXT: the octets of each record, its strings joined. A, AAAA: the address as text. PTR: the name.
    MX: preference and name with a space between, as in a zone file.
    """

    status: AnswerStatus
    records: tuple[bytes, ...] = ()


Answers = Mapping[Question, Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Instead of a result: what has to be asked first."""

    questions: tuple[Question, ...]
