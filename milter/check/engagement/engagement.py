"""The engagement check: asks memory once about a message, says what that shows and what to keep.

`recall` is the only question to the store. `findings` and `memories` are pure. A message of a
network becomes a platform contact if it is authentic; any other is a direct mail, of which memory
keeps the conduct if it was of interest, and nothing at all of ordinary mail.

Failure: HistoryUnavailable from `recall` passes up: the check failed, the verdict says so, the mail
flows; what the message itself leaves behind is remembered all the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from milter.check.engagement.campaigns import campaign_findings, text_traits
from milter.check.engagement.claims import awaits_somebody, claim_findings
from milter.check.engagement.contacts import ReceivedContact, contact_of
from milter.check.engagement.direct_mail import DirectMail, direct_mail
from milter.check.engagement.graph import graph_findings
from milter.check.engagement.matching import Match, best_match, follows_finding
from milter.check.engagement.past import MARKED, past_of
from milter.check.engagement.stages import (
    STAGE_CODES,
    Engagement,
    engagement_with,
    stage_findings,
    stage_of,
)
from milter.check.engagement.standing import is_known_organisation, standing
from milter.check.engagement.telling import to_several
from milter.check.identity import KnownDomains
from milter.mail.engagement import (
    Conduct,
    Dossier,
    Event,
    Inquiry,
    Memories,
    Origin,
    PlatformContact,
    Recollection,
    Sighting,
    Stage,
    Trait,
    TraitKind,
    address_trait,
)
from milter.mail.envelope import Transaction
from milter.mail.finding import Finding
from milter.mail.message_key import message_key
from milter.mail.reading import Reading
from milter.mail.verdict import Label, Verdict
from milter.ports import History

_OF_INTEREST = frozenset({"RELAY_THEN_DIRECT", "ENGAGEMENT_ESCALATES", "PERSONA_MARKED"})
_TEXT_RECIPIENTS = 2
_MARKED_LABELS = frozenset({Label.LURE, Label.LURE_MALWARE, Label.SCAM})


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How long ago still counts: a platform contact for a match, a mail for the engagement."""

    contact: timedelta = timedelta(days=45)
    engagement: timedelta = timedelta(days=365)


@dataclass(kw_only=True)
class EngagementCheck:
    """Memory's part in one message; `found` is what the other checks have found so far."""

    transaction: Transaction
    reading: Reading
    known: KnownDomains
    found: tuple[Finding, ...]
    windows: Windows = field(default_factory=Windows)
    recalled: Recollection = field(default_factory=Recollection)

    async def recall(self, history: History) -> None:
        """Ask the store, where the answer can matter; raises HistoryUnavailable."""
        if (inquiry := self._inquiry()) is not None:
            recalled = await history.recall(inquiry)
            self.recalled = past_of(
                recalled, at=self.transaction.received_at, is_itself=self._is_itself
            )

    def _is_itself(self, event: Event) -> bool:
        # The Message-ID first: a body is not hashed for every mail to somebody who has a past.
        return (
            event.origin.message_id == self.reading.header.message_id
            and event.origin.event_id == self.origin.event_id
        )

    @cached_property
    def contact(self) -> ReceivedContact | None:
        """The platform contact that this message is, if it is an authentic one."""
        if self.reading.notice is None:
            return None
        return contact_of(self.transaction, self.reading, self.known, self.origin)

    @cached_property
    def mail(self) -> DirectMail | None:
        """The direct mail that this message is, if it is no platform contact."""
        if self.contact is not None:
            return None
        return direct_mail(self.transaction, self.reading, self.known, self.found)

    @cached_property
    def origin(self) -> Origin:
        """This message, as memory will name it."""
        return Origin(
            event_id=message_key(self.transaction.raw),
            at=self.transaction.received_at,
            message_id=self.reading.header.message_id,
            transaction_id=self.transaction.transaction_id,
        )

    def findings(self) -> tuple[Finding, ...]:
        """What memory shows of this message."""
        mail = self.mail
        if mail is None:
            return ()
        found = (
            *standing(mail, self.recalled),
            *self._of_dossiers(mail),
            *self._of_trails(mail),
        )
        return found if len(mail.recipients) == 1 else tuple(map(to_several, found))

    def memories(self, verdict: Verdict) -> Memories:
        """What to keep of this message: nothing of ordinary mail."""
        if self.contact is not None:
            contact = self.contact.contact
            return Memories(events=tuple((one, contact) for one in self.contact.recipients))
        mail = self.mail
        codes = {row.finding.code: row.finding.strength for row in verdict.findings}
        if mail is None or not self._is_of_interest(codes, verdict):
            return Memories()
        return Memories(
            events=tuple((one, self._conduct(mail, codes, verdict)) for one in mail.recipients),
            sightings=tuple(self._sightings(mail)),
        )

    @property
    def wants_full_reading(self) -> bool:
        """True where the screen let a mail go of a persona that is at it, or announced somebody."""
        if self.mail is None or self.reading.screened or self.reading.text_only:
            return False
        return awaits_somebody(self.mail, self.recalled.dossiers) or any(
            one.stage >= Stage.MOVE for one in self._engagements
        )

    def _inquiry(self) -> Inquiry | None:
        mail = self.mail
        if mail is None or not mail.recipients or (mail.is_bulk and not self.reading.screened):
            return None
        return Inquiry(
            recipients=mail.recipients,
            traits=_asked(mail) if self.reading.screened else (),
        )

    @cached_property
    def _matches(self) -> dict[str, Match]:
        mail = self.mail
        if mail is None:
            return {}
        return {
            dossier.recipient: match
            for dossier in self.recalled.dossiers
            if (match := best_match(mail, _contacts(dossier), window=self.windows.contact))
        }

    @cached_property
    def _engagements(self) -> tuple[Engagement, ...]:
        mail = self.mail
        if mail is None:
            return ()
        return tuple(
            engagement_with(
                mail,
                dossier,
                follows=self._follows(dossier.recipient),
                window=self.windows.engagement,
            )
            for dossier in self.recalled.dossiers
        )

    def _follows(self, recipient: str) -> tuple[str, ...]:
        match = self._matches.get(recipient)
        return (match.contact.origin.event_id,) if match else ()

    def _of_dossiers(self, mail: DirectMail) -> Iterator[Finding]:
        for match in self._matches.values():
            if (finding := follows_finding(mail, match)) is not None:
                yield finding
        yield from claim_findings(
            mail,
            self.recalled.dossiers,
            self._matches,
            contact_window=self.windows.contact,
            engagement_window=self.windows.engagement,
        )
        for engagement in self._engagements:
            yield from stage_findings(mail, engagement)

    def _of_trails(self, mail: DirectMail) -> Iterator[Finding]:
        if not self.reading.screened or not self.recalled.trails:
            return  # nobody was asked: ordinary mail is not even hashed
        event_id = self.origin.event_id
        is_known = is_known_organisation(mail, self.recalled)
        yield from graph_findings(mail, self.recalled, event_id=event_id)
        yield from campaign_findings(mail, self.recalled, event_id=event_id, is_known=is_known)

    def _is_of_interest(self, codes: Iterable[str], verdict: Verdict) -> bool:
        said = {code.removeprefix("MODEL_") for code in codes}
        return bool(
            said & _OF_INTEREST
            or verdict.label is not Label.CLEAN
            or (self.reading.screened and said & STAGE_CODES)
            or any(engagement.conduct for engagement in self._engagements)
        )

    def _conduct(self, mail: DirectMail, codes: dict[str, int], verdict: Verdict) -> Conduct:
        plain = [code for code, strength in codes.items() if strength >= 2]
        kept = sorted({code for code in plain if code.removeprefix("MODEL_") in STAGE_CODES})
        if verdict.label in _MARKED_LABELS:
            kept.append(MARKED)
        return Conduct(
            origin=self.origin,
            address=mail.address,
            persona=mail.writers[0] if mail.writers else "",
            stage=stage_of(plain),
            codes=tuple(kept),
            traits=mail.traits,
            reply_to=mail.reply_to,
            references=mail.references[:4],
            follows=tuple(
                dict.fromkeys(match.contact.origin.event_id for match in self._matches.values())
            ),
            organisation=mail.organisations[0] if mail.organisations else "",
            subject=mail.subject[:120],
            is_aligned=mail.is_aligned,
            is_free_mail=mail.is_free_mail,
            announces=mail.announces,
        )

    def _sightings(self, mail: DirectMail) -> Iterator[Sighting]:
        traits = dict.fromkeys((address_trait(mail.address), *_shown(mail)))
        for place, recipient in enumerate(mail.recipients):
            # One message to a group is one: its text needs no mark for each of them.
            texts = _texts(mail) if place < _TEXT_RECIPIENTS else ()
            for trait in (*traits, *texts):
                yield Sighting(
                    trait=trait, origin=self.origin, persona=mail.address, recipient=recipient
                )


def _shown(mail: DirectMail) -> tuple[Trait, ...]:
    """What a mail gives to be known again by, beside its sender's address."""
    return (*mail.traits, *map(address_trait, mail.reply_to))


def _texts(mail: DirectMail) -> tuple[Trait, ...]:
    """The text as a trait, but for what hardly any lure reads like: most mail of honest recruiters.

    It would be most of what is kept and asked for, of people whom nobody needs to remember.
    """
    return () if "READS_VERY_LIKE_HONEST" in mail.codes else tuple(text_traits(mail))


def _asked(mail: DirectMail) -> tuple[Trait, ...]:
    """The traits that a mail is asked about; free mail as a domain says nothing."""
    traits = [
        address_trait(mail.address),
        Trait(TraitKind.WROTE, mail.address),
        *_shown(mail),
        *_texts(mail),
    ]
    if not mail.is_free_mail:
        traits += [
            Trait(TraitKind.WROTE, "@" + mail.domain),
            Trait(TraitKind.ANSWERED, "@" + mail.domain),
        ]
    return tuple(dict.fromkeys(traits))


def _contacts(dossier: Dossier) -> Iterator[PlatformContact]:
    events: tuple[Event, ...] = dossier.events
    return (event for event in events if isinstance(event, PlatformContact))
