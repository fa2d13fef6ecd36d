"""The reader's half of the path: what touches hostile content, run in a process that can be killed.

`examine` reads the message and asks the language check; `verify` re-scans an edited message. The
reader process calls them by name. Refuses to decide anything: it gives a `Reading`.
Failure: an exception ends as a failed attempt; the front tries once more in text-only mode.
"""

import re
import time
import unicodedata
from dataclasses import replace

from milter.authentication.canonical import CanonicalForms
from milter.authentication.signatures import verify_arc, verify_dkim
from milter.check.language import check_language, warm_language
from milter.mail.analysis import Analysis
from milter.mail.message import scan_header
from milter.mail.reading import ArcChain, AuthResult, Facts, Link, Reading
from milter.read.integrity import verify
from milter.read.message_reader import ReadResult, read_message
from milter.read.notices.words import own_text

__all__ = ["examine", "verify", "warm"]

_MAX_HOSTS = 200
_HOST = re.compile(r"https?://(?:[^/?#]*@)?([^/?#:]+)", re.IGNORECASE)
_WARM_MESSAGE = (
    b"From: A Person <a@example.org>\r\nTo: b@example.org\r\nSubject: a start\r\n"
    b'Content-Type: text/html; charset="utf-8"\r\n\r\n'
    b"<p>As discussed on LinkedIn, my WhatsApp is +44 7700 900123.</p>\r\n"
)


def warm() -> None:
    """Load everything once, so that forked readers share it and the first message is no slower."""
    warm_language()
    examine(_WARM_MESSAGE, Facts())


def examine(raw: bytes, facts: Facts) -> Reading:
    """Read one message and ask what its text says."""
    read = read_message(raw, facts)
    started = time.perf_counter()
    language = check_language(
        segments=read.segments,
        hidden=read.hidden,
        links=read.links,
        file_names=read.file_names,
        names=read.names,
        own_domains=facts.own_domains,
        read_in_full=facts.read_in_full,
        names_anyway=read.notice is not None and read.notice.is_of_person,
    )
    seconds = time.perf_counter() - started
    dkim, arc, signature_seconds = _signatures(raw, facts)
    return Reading(
        size_bytes=len(raw),
        header=read.header,
        parts=read.parts if facts.wants_text else (),
        protection=read.protection,
        defects=read.defects,
        uninspected=read.uninspected,
        edit_sites=read.edit_sites,
        unsafe_to_edit=read.unsafe_to_edit,
        auth_results=read.auth_results,
        forged_auth_fields=read.forged_auth_fields,
        dkim=dkim,
        arc=arc,
        link_hosts=_hosts(read.links),
        notice=read.notice,
        segments=read.segments if facts.wants_text else (),
        analysis=_of_member(language.analysis, read),
        outcomes=(language.outcome,),
        screened=language.screened,
        text_only=facts.text_only,
        elapsed_seconds=(
            *read.elapsed_seconds,
            ("language", seconds),
            *((("signatures", signature_seconds),) if facts.verify_signatures else ()),
        ),
    )


def _of_member(analysis: Analysis, read: ReadResult) -> Analysis:
    """A network's notice is known again by the member's words, not by what the network writes."""
    if read.notice is None or not read.notice.is_of_person or not analysis.words:
        return analysis
    said = unicodedata.normalize("NFKC", own_text(read.segments, read.notice)).casefold()
    return replace(analysis, words=tuple(word for word in analysis.words if word in said))


def _signatures(raw: bytes, facts: Facts) -> tuple[tuple[AuthResult, ...], ArcChain | None, float]:
    """DKIM results, the ARC chain, and how long they took; nothing where nobody asked."""
    if not facts.verify_signatures:
        return (), None, 0.0
    started = time.perf_counter()
    answers = dict(facts.key_answers)
    header = scan_header(raw)
    forms = CanonicalForms(raw, header)
    dkim = verify_dkim(raw, header, answers, unix_time=facts.unix_time, forms=forms)
    arc = verify_arc(raw, header, answers, unix_time=facts.unix_time, forms=forms)
    return dkim, arc, time.perf_counter() - started


def _hosts(links: tuple[Link, ...]) -> tuple[str, ...]:
    """Where the links lead, each host once: all that is asked of them outside the reader."""
    found = (_HOST.match(link.target) for link in links)
    return tuple(dict.fromkeys(host[1].lower() for host in found if host))[:_MAX_HOSTS]
