"""DKIM and ARC of one message: which keys have to be asked for, and what the signatures are worth.

Pure: takes the octets, the header as scanned and the answers of the DNS. Refuses to ask (the front
does) and to decide what a result means (`check` and `judge` do).

**Standards:** RFC 6376 (DKIM), RFC 8617 (ARC).
**Failure:** never raises.
"""

from milter.mail.dns import Answers, Question
from milter.mail.message import Header
from milter.mail.reading import ArcChain, AuthResult


def key_questions(raw: bytes, header: Header) -> tuple[Question, ...]:
    """The TXT names of all keys that the signatures of this header need, each once."""
    return ()


def verify_dkim(
    raw: bytes, header: Header, answers: Answers, *, unix_time: int = 0
) -> tuple[AuthResult, ...]:
    """One result a signature, or one that says none; authserv_id is ''."""
    return (AuthResult(method="dkim", result="none", authserv_id=""),)


def verify_arc(raw: bytes, header: Header, answers: Answers, *, unix_time: int = 0) -> ArcChain:
    """The chain as it came."""
    return ArcChain()
