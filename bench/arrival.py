"""Mails of the corpus as they arrive from the world: signed, with a DNS that vouches for them or not.

What `sender` says in the corpus becomes fact here: free mail and platforms sign and publish SPF and
DMARC, an aligned domain too, and a domain that nothing vouches for does none of it. The gateway's
own check then finds out. No network: the answers of the DNS are made with the mail.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

import dkim

from milter.app.clock import SystemClock
from milter.check.authentication import AuthenticationOptions, Authenticator
from milter.demo.senders import signing_key
from milter.mail.address import parse_path
from milter.mail.dns import Answer, Answers, AnswerStatus, Question
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from nlp.training.corpus import TrainingMail

_FREE_MAIL: Final = ("gmail.com", "outlook.com", "yahoo.com", "163.com", "mail.ru", "proton.me")
_RELAY: Final = "linkedin.com"
_CLIENT: Final = "192.0.2.25"
_SELECTOR: Final = "bench"
# dkimpy signs with the time of the day: what comes in must not be of its past.
_RECEIVED_AT: Final = datetime(2046, 11, 5, 9, tzinfo=UTC)
_NOTICE_AT: Final = _RECEIVED_AT - timedelta(days=3)
_SIGNED: Final = [b"from", b"to", b"subject", b"date", b"message-id"]
_NOBODY: Final = Answer(status=AnswerStatus.NO_NAME)
OPTIONS: Final = AuthenticationOptions(authserv_id="gateway.test", verify="always")


def transaction_of(mail: TrainingMail) -> Transaction:
    """The mail with its envelope, as it comes to role mx."""
    domain, local = _sender(mail)
    raw = _message(mail, domain, local)
    if mail.sender != "domain":
        raw = _signed(raw, domain)
    return _transaction(raw, f"{local}@{domain}", _RECEIVED_AT)


def _transaction(raw: bytes, sender: str, received_at: datetime) -> Transaction:
    reverse_path, _ = parse_path(f"<{sender}>".encode(), smtputf8=False)
    recipient, _ = parse_path(b"<someone@example.org>", smtputf8=False)
    return Transaction(
        transaction_id="bench",
        role="mx",
        received_at=received_at,
        connection=Connection(client_ip=_CLIENT, helo="out.example.net"),
        envelope=Envelope(reverse_path=reverse_path, recipients=(Recipient(path=recipient),)),
        raw=raw,
    )


def notice_before(mail: TrainingMail) -> Transaction | None:
    """The network's notification that came before a mail whose position is after_relay.

    The same person says a word there, with a headline that names the house of the mail's domain (of
    free mail some other), and gives no hint where it goes on.
    """
    if mail.position != "after_relay" or not mail.name:
        return None
    raw = _notice(mail)
    raw = _signed(raw, _RELAY, more=(b"x-linkedin-class", b"x-linkedin-template"))
    return _transaction(raw, f"bounce@bounce.{_RELAY}", _NOTICE_AT)


def _notice(mail: TrainingMail) -> bytes:
    name = Header(mail.name, "utf-8").encode()
    number = hashlib.sha256(mail.case.encode()).hexdigest()[:8]
    lines = [
        f"From: {name} <inmail-hit-reply@{_RELAY}>",
        f"Reply-To: <{number}@reply.{_RELAY}>",
        "To: someone@example.org",
        "Subject: A message for you",
        f"Message-ID: <{number}@mailb.prod.{_RELAY}>",
        f"Date: {format_datetime(_NOTICE_AT)}",
        "X-LinkedIn-Class: INMAIL",
        "X-LinkedIn-Template: email_hire_inmail_initial_single_01",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        "A message for you",
        "",
        mail.name,
        f"Consultant at {_house(mail)}",
        f"Reply: https://www.{_RELAY}/messaging/thread/2-{number}/",
        "",
        "Hello, I read your profile with interest. May I tell you more?",
        "",
        "This email was intended for Someone (Researcher)",
        "",
    ]
    return "\r\n".join(lines).encode("utf-8")


def _house(mail: TrainingMail) -> str:
    """The firm that a domain of the corpus belongs to, as people write it."""
    domain, _ = _sender(mail)
    label = domain.removesuffix(".test") if domain.endswith(".test") else "northbridge"
    return " ".join(word.capitalize() for word in label.split("-"))


class Zones:
    """The DNS of the benchmark: implements `ports.Resolver`."""

    async def ask(self, questions: Sequence[Question], deadline: float) -> Answers:
        """At once: the records of those who publish any."""
        return {question: _answer(question) for question in questions}


def authenticator() -> Authenticator:
    """The gateway's own check over that DNS."""
    return Authenticator(resolver=Zones(), clock=SystemClock(), options=OPTIONS)


def _answer(question: Question) -> Answer:
    name, kind = question
    if kind != "TXT":
        return _NOBODY
    domain = name.removeprefix("_dmarc.").removeprefix(f"{_SELECTOR}._domainkey.")
    if not (domain in _FREE_MAIL or domain == _RELAY or domain.startswith("vouched")):
        return _NOBODY
    records = {
        domain: f"v=spf1 ip4:{_CLIENT} -all".encode(),
        f"_dmarc.{domain}": b"v=DMARC1; p=reject",
        f"{_SELECTOR}._domainkey.{domain}": _key()[1],
    }
    return Answer(status=AnswerStatus.FOUND, records=(records[name],))


def _sender(mail: TrainingMail) -> tuple[str, str]:
    """Domain and local part: those of a case are the same for both twins."""
    chosen = int(hashlib.sha256(mail.case.encode()).hexdigest()[:8], 16)
    domain = f"firm{chosen % 9973}.test"
    if mail.sender == "freemail":
        domain = _FREE_MAIL[chosen % len(_FREE_MAIL)]
    elif mail.sender == "relay":
        domain = _RELAY
    elif mail.sender == "aligned":
        domain = f"vouched-{domain}"
    return domain, f"desk.{chosen % 997}"


def _message(mail: TrainingMail, domain: str, local: str) -> bytes:
    name = Header(mail.name, "utf-8").encode() + " " if mail.name else ""
    number = hashlib.sha256(mail.case.encode()).hexdigest()[:8]
    lines = [
        f"From: {name}<{local}@{domain}>",
        "To: someone@example.org",
        f"Subject: {Header(mail.subject.text, 'utf-8', maxlinelen=10**6).encode()}",
        f"Message-ID: <{number}@{domain}>",
        f"Date: {format_datetime(_RECEIVED_AT)}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        mail.body.text,
        "",
    ]
    return "\r\n".join("\n".join(lines).split("\n")).encode("utf-8")


def _signed(raw: bytes, domain: str, more: Sequence[bytes] = ()) -> bytes:
    field: bytes = dkim.sign(
        raw, _SELECTOR.encode(), domain.encode(), _key()[0], include_headers=[*_SIGNED, *more]
    )
    return field + raw


@lru_cache(maxsize=1)
def _key() -> tuple[bytes, bytes]:
    """A key of this run, and its record; short, since nothing hangs on it but time."""
    pem, record = signing_key(1024)
    return pem, record.encode("ascii")


@lru_cache(maxsize=1)
def loop() -> asyncio.AbstractEventLoop:
    """One loop a process for the few steps that wait for an answer."""
    return asyncio.new_event_loop()
