"""Notices to the contact, as mail through a next hop: a hold, a digest of holds, coming expiry.

Plain text with no live link. Of the held mail it quotes subject and addresses only, bounded, made
visible and broken up. Refuses to decide when to write and about what: act/retention.py does, and
remembers what has been told.

**Standards:** RFC 3834 §5 (Auto-Submitted).
**Failure:** NoticeFailed with the stage and code; mail is never affected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from hashlib import sha256
from itertools import islice
from string import Template

from milter.act.shown import defanged
from milter.adapters.own_mail import send_own_mail
from milter.judge.explain import sentences
from milter.mail.address import Path
from milter.mail.envelope import Recipient
from milter.mail.quarantine import QuarantineRecord
from milter.mail.visible import visible
from milter.ports import Clock, NextHop

_SUBJECT_LONGEST = 100
_ADDRESS_LONGEST = 100
_RECIPIENTS_SHOWN = 5
_REASONS_SHOWN = 12
_REASONS_IN_DIGEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeOptions:
    """Whom to tell, as whom, in which language (en, fr; others get English)."""

    contact: str
    header_from: str
    hostname: str
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wording:
    held_subject: Template
    digest_subject: Template
    expiring_subject: Template
    held: str
    digest: str
    expiring: str
    labels: tuple[str, ...]
    why: str
    commands: str
    more: Template
    footer: str


_ENGLISH = _Wording(
    held_subject=Template("Lurewall holds a message: $id"),
    digest_subject=Template("Lurewall holds $count more messages"),
    expiring_subject=Template("Lurewall: held messages expire soon ($count)"),
    held="A message looks like a recruiting lure. It is held and has not been delivered.",
    digest="These messages look like recruiting lures. They are held and have not been delivered.",
    expiring="These messages are still held. They will be erased at the time given below.",
    labels=("Id", "Arrived", "For", "From", "Reverse-path", "Subject", "Policy", "Expires"),
    why="Why",
    commands="To look at one, release it or delete it:",
    more=Template("and $count more"),
    footer="Addresses and links of held mail are broken up so that nobody opens them by mistake.",
)
_FRENCH = _Wording(
    held_subject=Template("Lurewall retient un message : $id"),
    digest_subject=Template("Lurewall retient $count autres messages"),
    expiring_subject=Template("Lurewall : messages retenus bientôt effacés ($count)"),
    held="Un message ressemble à un leurre de recrutement. Il est retenu et n'a pas été remis.",
    digest=(
        "Ces messages ressemblent à des leurres de recrutement. Ils sont retenus et n'ont pas "
        "été remis."
    ),
    expiring="Ces messages sont toujours retenus. Ils seront effacés à la date indiquée.",
    labels=(
        "Numéro",
        "Arrivé le",
        "Pour",
        "De",
        "Expéditeur SMTP",
        "Objet",
        "Règle",
        "Échéance",
    ),
    why="Raisons",
    commands="Pour en voir un, le remettre ou le supprimer :",
    more=Template("et $count autres"),
    footer="Les adresses et liens des messages retenus sont brisés pour éviter toute ouverture.",
)
_WORDINGS = {"en": _ENGLISH, "fr": _FRENCH}


class MailNotifier:
    """Composes a notice and hands it to the next hop."""

    def __init__(self, next_hop: NextHop, options: NoticeOptions, clock: Clock) -> None:
        self._next_hop = next_hop
        self._options = options
        self._clock = clock
        self._wording = _WORDINGS.get(options.language, _ENGLISH)

    async def held(self, record: QuarantineRecord) -> None:
        """One hold, with its reasons."""
        words = self._wording
        subject = words.held_subject.substitute(id=record.quarantine_id)
        await self._send(subject, words.held, (record,))

    async def digest(self, records: Sequence[QuarantineRecord]) -> None:
        """Several holds, with their reasons."""
        words = self._wording
        subject = words.digest_subject.substitute(count=len(records))
        await self._send(subject, words.digest, records)

    async def expiring(self, records: Sequence[QuarantineRecord]) -> None:
        """Holds that will be erased."""
        words = self._wording
        subject = words.expiring_subject.substitute(count=len(records))
        await self._send(subject, words.expiring, records)

    async def _send(self, subject: str, opening: str, records: Sequence[QuarantineRecord]) -> None:
        raw = self._compose(subject, opening, records)
        contact = Recipient(path=Path(raw=self._options.contact.encode("utf-8")))
        await send_own_mail(self._next_hop, (contact,), raw)

    def _compose(self, subject: str, opening: str, records: Sequence[QuarantineRecord]) -> bytes:
        now = self._clock.now()
        options = self._options
        message = EmailMessage(policy=SMTP if options.contact.isascii() else SMTPUTF8)
        message["From"] = _named("Lurewall", options.header_from)
        message["To"] = _named("", options.contact)
        message["Subject"] = subject
        message["Date"] = format_datetime(now)
        # Of the contents: a notice that is tried again has the same id and shows as one.
        told = ",".join(record.quarantine_id for record in records)
        token = sha256(f"{subject} {told}".encode()).hexdigest()[:24]
        message["Message-ID"] = f"<notice.{token}@{options.hostname}>"
        message["Auto-Submitted"] = "auto-generated"
        lines = [opening, ""]
        reasons = _REASONS_SHOWN if len(records) == 1 else _REASONS_IN_DIGEST
        for record in records:
            lines += [*self._describe(record, reasons), ""]
        example = records[0].quarantine_id if len(records) == 1 else "ID"
        lines += [self._wording.commands, ""]
        lines += [f"  lurewall quarantine {act} {example}" for act in ("show", "release", "delete")]
        lines += ["", self._wording.footer, ""]
        message.set_content("\n".join(lines), cte="quoted-printable")
        return message.as_bytes()

    def _describe(self, record: QuarantineRecord, reasons_shown: int) -> list[str]:
        recipients = [_address(one.path.raw) for one in record.envelope.recipients]
        if len(recipients) > _RECIPIENTS_SHOWN:
            rest = len(recipients) - _RECIPIENTS_SHOWN
            recipients[_RECIPIENTS_SHOWN:] = [self._wording.more.substitute(count=rest)]
        values = (
            record.quarantine_id,
            f"{record.received_at:%Y-%m-%d %H:%M} UTC",
            ", ".join(recipients),
            defanged(visible(record.header_from, _ADDRESS_LONGEST)),
            _address(record.envelope.reverse_path.raw) or "<>",
            defanged(visible(record.subject, _SUBJECT_LONGEST)),
            record.rule,
            f"{record.expires_at:%Y-%m-%d %H:%M} UTC",
        )
        width = max(len(label) for label in self._wording.labels)
        lines = [
            f"{label:{width}}  {value}"
            for label, value in zip(self._wording.labels, values, strict=True)
        ]
        verdict = record.verdict
        lines.append(f"{self._wording.why}: {verdict.label}, {verdict.score_db:.1f} dB")
        codes = [one.finding.code for one in verdict.findings if one.weight_db]
        reasons = zip(codes, sentences(verdict), strict=True)
        lines += [f"  {code}: {text}" for code, text in islice(reasons, reasons_shown)]
        return lines


def _named(display_name: str, address: str) -> Address:
    # Not `addr_spec=`: that refuses a local part beyond ASCII even where SMTPUTF8 is used.
    username, _, domain = address.rpartition("@")
    return Address(display_name, username, domain)


def _address(raw: bytes) -> str:
    return defanged(visible(raw.decode("utf-8", "backslashreplace"), _ADDRESS_LONGEST))
