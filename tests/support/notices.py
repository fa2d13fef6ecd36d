"""Notifications of networks, built by us after their form; all persons and firms are invented.

A notice has the fields that a network writes, a text part and an HTML part; what a test wants
otherwise, it says. `signed` puts the two signatures on it that LinkedIn writes.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime
from html import escape

from tests.support.signing import Private, record, rsa_key, sign

AT = datetime(2027, 1, 14, 15, 0, tzinfo=UTC)
TO = "r.keller@werk.test"
RECIPIENT = "Robin Keller"
RECIPIENT_HEADLINE = "Propulsion Engineer at Werk Aerospace"
THREAD = "2-YTFiMmMzZDQtZTVmNi00YTdiXzEwMA=="
LINKEDIN = "https://www.linkedin.com"
SELECTOR = "d2048-202701-00"
COVERED = "Date:From:Subject:MIME-Version:Content-Type:To:X-LinkedIn-Class:X-LinkedIn-Template"
PREHEADER = "\u034f\u00a0" * 40
HINTS = (
    "You can reach me at mara.quell@northbridge-advisory.example or +44 7700 900123,\n"
    "my site is https://www.northbridge-advisory.example/"
)
MESSAGE = f"Hello Robin,\n\nyour work on nozzle cooling is remarkable. A client of ours pays for a short paper.\n\n{HINTS}\n\nBest regards\nMara"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A LinkedIn notice, unless told otherwise."""

    sender: str = "Mara Quell"
    address: str = "inmail-hit-reply@linkedin.com"
    to: str = TO
    to_name: str = RECIPIENT
    subject: str = "A short paper on cooling"
    template: str = "email_hire_inmail_initial_single_01"
    klass: str = "INMAIL"
    reply_to: str = "Mara Quell <0f8e7d6c-5b4a-4392-8170-6f5e4d3c2b1a@reply.linkedin.com>"
    headline: str = ""
    shown: str = ""
    message: str = MESSAGE
    action: str = "Reply"
    footer: str = "This email was intended for {name} ({headline})"
    receiving: str = "You are receiving LinkedIn notification emails."
    unsubscribe: str = "Unsubscribe"
    date: datetime = AT
    parts: tuple[str, ...] = ("plain", "html")
    fields: tuple[str, ...] = field(default=())

    def raw(self) -> bytes:
        """The octets, unsigned."""
        lines = [
            f"Date: {format_datetime(self.date)}",
            f"From: {_mailbox(self.sender, self.address)}",
            "Message-ID: <1234567890.1.1800000000000@app1.prod.linkedin.com>",
            f"Subject: {_encoded(self.subject)}",
            "MIME-Version: 1.0",
            'Content-Type: multipart/alternative; boundary="=_b"',
            f"To: {_mailbox(self.to_name, self.to)}",
            *([f"X-LinkedIn-Class: {self.klass}"] if self.klass else []),
            *([f"X-LinkedIn-Template: {self.template}"] if self.template else []),
            f"List-Unsubscribe: <{LINKEDIN}/comm/psettings/email-unsubscribe?midToken=A>",
            *([f"Reply-To: {_encoded_name(self.reply_to)}"] if self.reply_to else []),
            *self.fields,
        ]
        header = "".join(line + "\r\n" for line in lines)
        return header.encode() + b"\r\n" + self._body().replace("\n", "\r\n").encode()

    def _body(self) -> str:
        made = {"plain": self._plain, "html": self._html}
        return (
            "".join(
                f"--=_b\nContent-Type: text/{part};charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n"
                f"{made[part]()}\n"
                for part in self.parts
            )
            + "--=_b--\n"
        )

    def _link(self, path: str) -> str:
        return f"{LINKEDIN}{path}?midToken=A&trk=eml-{self.template}-x-0"

    def _plain(self) -> str:
        headline = f"        {self.headline}\n" if self.headline else ""
        return (
            f"{self.subject}\n{self.subject}\n\n      {self.shown or self.sender}\n{headline}"
            f"        {self.action}\n        {LINKEDIN}/messaging/thread/{THREAD}/\n\n"
            f"{self.message}\n\n    \n\n----------------------------------------\n\n"
            f"{self._intended()}\nLearn why we included this: {self._link('/help/answer/4788')}\n"
            f"{self.receiving}\n\n{self.unsubscribe}: {self._link('/comm/psettings/x')}\n"
            f"Help: {self._link('/help/answer/67')}\n\n"
            "© 2027 LinkedIn Corporation, 1 Some Avenue, Sometown, CA.\n"
            "LinkedIn and the LinkedIn logo are registered trademarks of LinkedIn.\n"
        )

    def _html(self) -> str:
        headline = f"<tr><td>{escape(self.headline)}</td></tr>" if self.headline else ""
        message = escape(self.message).replace("\n", '<br aria-hidden="true">')
        profile, talk = (
            self._link("/comm/in/mara-quell"),
            self._link(f"/comm/messaging/thread/{THREAD}/"),
        )
        return (
            '<html><body><div style="visibility:hidden;height:0px;max-height:0;overflow:hidden;'
            f'opacity:0">{escape(self.message[:40])}</div>'
            f'<div style="visibility:hidden;height:0px;max-height:0;opacity:0">{PREHEADER}</div>'
            f"<table><tr><td><a href='{self._link('/comm/feed/')}'><img alt='LinkedIn' src='l'></a>"
            f"</td></tr><tr><td><h1>{escape(self.subject)}</h1></td></tr>"
            f"<tr><td><a href='{profile}'>{escape(self.shown or self.sender)}</a></td></tr>{headline}"
            f"<tr><td>{message}</td></tr>"
            f"<tr><td><a href='{talk}'>{self.action}</a></td></tr></table>"
            f"<table><tr><td>{escape(self._intended())} <a href='{self._link('/help/answer/4788')}'>"
            f"Learn why we included this.</a></td></tr><tr><td>{self.receiving}</td></tr>"
            f"<tr><td><a href='{self._link('/comm/psettings/x')}'>{self.unsubscribe}</a> · "
            f"<a href='{self._link('/help/answer/67')}'>Help</a></td></tr>"
            "<tr><td>© 2027 LinkedIn Corporation, 1 Some Avenue. LinkedIn and the LinkedIn logo are "
            "registered trademarks of LinkedIn.</td></tr></table></body></html>\n"
        )

    def _intended(self) -> str:
        return self.footer.format(name=self.to_name, headline=RECIPIENT_HEADLINE)


def key_of(domain: str) -> Private:
    """The key of a domain in these tests."""
    return rsa_key(2048, sum(domain.encode()) % 7)


def zone(*domains: str, dmarc: str = "v=DMARC1; p=reject") -> dict[str, list[str]]:
    """A DNS in which these domains have keys and want DMARC."""
    names: dict[str, list[str]] = {}
    for domain in domains:
        names[f"{SELECTOR}._domainkey.{domain}"] = [f"TXT {record(key_of(domain)).decode()}"]
        names[f"_dmarc.{domain}"] = [f"TXT {dmarc}"]
        names[domain] = ["TXT v=spf1 -all"]
    return names


def signed(raw: bytes, *domains: str, names: str = COVERED, **more) -> bytes:
    """With a signature of each domain on top, the last one topmost."""
    for domain in domains or ("linkedin.com", "mailb.linkedin.com"):
        raw = sign(raw, key_of(domain), domain=domain, selector=SELECTOR, names=names, **more)
    return raw


def _mailbox(name: str, address: str) -> str:
    shown = f'"{name}"' if name.isascii() else _encoded(name)
    return f"{shown} <{address}>"


def _encoded(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=900).encode()


def _encoded_name(mailbox: str) -> str:
    name, _, rest = mailbox.rpartition(" <")
    return f"{_encoded(name)} <{rest}" if name else mailbox
