"""Invented mails for tests of the whole gateway, and what the gateway may add to one on its way."""

import re

# Marked in every mode, held in enforce: language, channel, pay and secrecy come together.
LURE_TEXT = (
    "A partner of ours, whom I cannot name, would like a short paper of six to eight pages. "
    "The honorarium is 2,000 USD per paper, in cash or USDT.\r\n"
    "They value what is not in the press: internal planning and budget drafts.\r\n"
    "Write to me on Signal rather than to your office address, my username is desk.41.\r\n"
    "There is no need to mention this to your employer.\r\n"
)
PLAIN_TEXT = "Lunch is at noon, the room is the same as last week.\r\n"

# Fields that the gateway documents as its own: it puts them on top.
_OURS = re.compile(
    rb"\A(?:X-Lurewall-[A-Za-z-]+|Authentication-Results|Received):[^\r]*\r\n(?:[ \t][^\r]*\r\n)*"
)


def mail(name: str, text: str = PLAIN_TEXT, *, header: str = "") -> bytes:
    """A mail whose Message-ID and subject hold `name`."""
    return (
        f"From: Desk <desk.one@gmail.com>\r\nTo: someone@example.org\r\nSubject: note {name}\r\n"
        f"Message-ID: <{name}@sender.test>\r\n{header}\r\n{text}"
    ).encode()


def lure(name: str) -> bytes:
    """A mail that enforce mode holds."""
    return mail(name, LURE_TEXT)


def signed(name: str, *, header: str = "") -> bytes:
    """The lure as S/MIME signs one: nothing of it may change."""
    kind = 'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=b1'
    fields = f"{header}MIME-Version: 1.0\r\nContent-Type: {kind}\r\n"
    part = f"Content-Type: text/plain; charset=us-ascii\r\n\r\n{LURE_TEXT}"
    signature = "Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nMIIB"
    body = f"--b1\r\n{part}\r\n--b1\r\n{signature}\r\n--b1--\r\n"
    return mail(name, body, header=fields)


def without_our_fields(raw: bytes) -> bytes:
    """What is left of a delivered mail below the fields that the gateway put on top."""
    while match := _OURS.match(raw):
        raw = raw[match.end() :]
    return raw
