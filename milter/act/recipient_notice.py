"""The separate mail that says what a banner would, for mail that must not be edited.

Signed and encrypted mail keeps its octets (design rule 11), so does what has no place for a banner;
where the policy asks for it, its recipients get this instead: two sentences about which mail is
meant, and the banner. Refuses to decide when and to whom it goes: `app.recipient_notices` does,
after the mail itself is delivered. A banner would find its place in a notice, so none can cause
another one.

**Standards:** RFC 3834 §5 (Auto-Submitted), RFC 5322 §3.6.4 (In-Reply-To), RFC 2046 §5.1.4.
**Failure:** none; what cannot be named safely is left out.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256

from milter.act.banner_html import notice_html
from milter.act.plan import ActOptions, banner_for
from milter.act.shown import shown
from milter.mail.edit import BannerOutcome
from milter.mail.envelope import Recipient, Transaction
from milter.mail.message import scan_header
from milter.mail.reading import Reading
from milter.mail.verdict import Disposition, Verdict

_NOT_MISSING = frozenset(
    {BannerOutcome.ALREADY_THERE, BannerOutcome.NOT_WANTED, BannerOutcome.NOT_EXAMINED}
)
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,240}>")
_NOTHING = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientNotice:
    """A notice, and who gets it."""

    transaction_id: str
    recipients: tuple[Recipient, ...]
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSender:
    """As whom notices are written; `contact` is where answers go, or ''."""

    hostname: str
    contact: str = ""


def is_missing(banner: BannerOutcome) -> bool:
    """True where a banner was wanted and the mail could not bear one."""
    return not banner.is_edit and banner not in _NOT_MISSING


def compose_notice(
    transaction: Transaction,
    *,
    recipients: tuple[Recipient, ...],
    reading: Reading,
    verdict: Verdict,
    disposition: Disposition,
    options: ActOptions,
    sender: NoticeSender,
    now: datetime,
) -> RecipientNotice:
    """The notice about one delivered message for the recipients of one disposition."""
    words = options.texts.language(disposition.banner_language)
    header = reading.header
    names = {
        "subject": shown(header.subject) or _NOTHING,
        "sender": shown(header.header_from[0].address if header.header_from else "") or _NOTHING,
    }
    about = words.sentences["about"].format(**names)
    banner = banner_for(reading, verdict, disposition, options)
    token = _token(transaction, recipients)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(words.sentences["label"], "lurewall", sender.hostname)
    message["To"] = "undisclosed-recipients:;"
    if sender.contact.isascii() and sender.contact:
        message["Reply-To"] = sender.contact
    message["Subject"] = words.sentences["about_subject"].format(subject=names["subject"])
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<protected.{token}@{sender.hostname}>"
    if _MESSAGE_ID.fullmatch(header.message_id):
        message["In-Reply-To"] = header.message_id
        message["References"] = header.message_id
    message["Auto-Submitted"] = "auto-generated"
    # Exchange answers absence notices to mail of services otherwise.
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(f"{about}\n\n{banner.texts[0]}", cte="quoted-printable")
    page = notice_html(about, banner.html, tag=words.tag, direction=words.direction)
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    # Only now: a message that becomes a multipart hands its Content fields down.
    message["Content-Language"] = words.tag
    message.set_boundary(f"=_{token}")
    return RecipientNotice(
        transaction_id=transaction.transaction_id, recipients=recipients, raw=message.as_bytes()
    )


def _token(transaction: Transaction, recipients: tuple[Recipient, ...]) -> str:
    """Of the mail and who got it: a notice that comes twice has the same id and shows as one."""
    raw = transaction.raw
    told = b"\0".join(one.path.raw for one in recipients)
    return sha256(raw[: scan_header(raw).body_start] + b"\0" + told).hexdigest()[:24]
