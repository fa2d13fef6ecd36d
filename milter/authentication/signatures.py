"""DKIM and ARC of one message: which keys have to be asked for, and what the signatures are worth.

Pure: takes the octets, the header as scanned and the answers of the DNS. Refuses to ask (the front
does) and to decide what a result means (`check` and `judge` do).

**Standards:** RFC 6376 (DKIM), RFC 8617 (ARC).
**Failure:** never raises.
"""

from milter.authentication.arc import arc_chain, arc_questions
from milter.authentication.canonical import CanonicalForms
from milter.authentication.dkim import dkim_questions, dkim_results
from milter.authentication.keys import trimmed
from milter.mail.dns import Answer, Answers, Question
from milter.mail.message import Header
from milter.mail.reading import ArcChain, AuthResult


def key_questions(raw: bytes, header: Header) -> tuple[Question, ...]:
    """The TXT names of all keys that the signatures of this header need, each once.

    At most 8 for DKIM and 51 for ARC; nothing is asked for a signature or a chain that cannot pass.
    """
    return tuple(dict.fromkeys((*dkim_questions(raw, header), *arc_questions(raw, header))))


def key_answers(
    questions: tuple[Question, ...], answers: Answers
) -> tuple[tuple[Question, Answer], ...]:
    """The answers as `Facts` hands them to a reader: these questions only, each within bounds."""
    return tuple(
        (question, trimmed(answers[question])) for question in questions if question in answers
    )


def verify_dkim(
    raw: bytes,
    header: Header,
    answers: Answers,
    *,
    unix_time: int = 0,
    forms: CanonicalForms | None = None,
) -> tuple[AuthResult, ...]:
    """One result a signature, or one that says none; authserv_id is ''.

    `forms` are the canonical forms of the message, where DKIM and ARC shall share them.
    """
    return dkim_results(forms or CanonicalForms(raw, header), answers, unix_time)


def verify_arc(
    raw: bytes,
    header: Header,
    answers: Answers,
    *,
    unix_time: int = 0,
    forms: CanonicalForms | None = None,
) -> ArcChain:
    """The chain as it came; `forms` as in `verify_dkim`."""
    return arc_chain(forms or CanonicalForms(raw, header), answers, unix_time)
