"""How far a persona has gone with a recipient, over months: approach, move, task, bind, escalate.

The stage of an engagement is the highest of its mails inside the window. Only the sender's conduct
raises it; what an analyst ruled lower stands so in what is asked here (`past`), and what is older
than the window or the retention no longer counts. A reply of ours changes nothing.

A persona is known again by its address, by a handle, number or account it gave, by the thread, or
by the platform contact that its mails follow: so it keeps its stage when it changes its address.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from milter.check.engagement.direct_mail import CHECK, OF_ONE_PERSON, DirectMail
from milter.check.engagement.past import MARKED
from milter.check.engagement.telling import earlier_mail
from milter.mail.engagement import Conduct, Dossier, Stage, Trait
from milter.mail.finding import Finding

_STAGES = {
    Stage.ESCALATE: ("SENSITIVE", "CONTACTS", "SECRECY", "DATA_LOGIN", "LURE_FILE"),
    Stage.BIND: ("TRAVEL_MEET", "MONEY_ODD"),
    Stage.TASK: ("PAID_REPORT_WRITTEN", "PAID_REPORT_CALL", "TRIAL"),
    Stage.MOVE: ("OFFPLATFORM", "OFFPLATFORM_NO_HANDLE", "RELAY_THEN_DIRECT"),
    Stage.APPROACH: ("APPROACH", "VAGUE_OFFER", "NO_CLIENT", "PROFILE_ACCESS", "PROFILE_GENERIC"),
}
STAGE_CODES = frozenset(code for codes in _STAGES.values() for code in codes)


def stage_of(codes: Iterable[str]) -> Stage:
    """The stage of one mail by the findings of full strength; a twin of the model counts too."""
    said = {code.removeprefix("MODEL_") for code in codes}
    return next((stage for stage, names in _STAGES.items() if said.intersection(names)), Stage.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """The earlier mails of one persona to one recipient, oldest first, and how far they went."""

    conduct: tuple[Conduct, ...] = ()
    stage: Stage = Stage.NONE

    @property
    def furthest(self) -> Conduct | None:
        """The first mail that went as far as the engagement has gone."""
        return next((one for one in self.conduct if one.stage == self.stage), None)


def engagement_with(
    mail: DirectMail, dossier: Dossier, *, follows: Sequence[str], window: timedelta
) -> Engagement:
    """All earlier mails of the persona that writes now, as far as it is known to be the same."""
    conduct = [
        event
        for event in dossier.events
        if isinstance(event, Conduct) and mail.at - event.origin.at <= window
    ]
    same = _same_persona(mail, conduct, follows)
    return Engagement(
        conduct=tuple(same), stage=max((one.stage for one in same), default=Stage.NONE)
    )


def stage_findings(mail: DirectMail, engagement: Engagement) -> Iterable[Finding]:
    """ENGAGEMENT_ESCALATES where this mail goes further, PERSONA_MARKED after a marked mail."""
    now, before = stage_of(mail.plain), engagement.stage
    furthest = engagement.furthest
    if now > before >= Stage.MOVE and furthest is not None:
        yield Finding(
            code="ENGAGEMENT_ESCALATES",
            check=CHECK,
            strength=2 if now >= Stage.BIND else 1,
            evidence=(earlier_mail(furthest),),
            note=f"{before.name.lower()} on {furthest.origin.at:%Y-%m-%d}, now {now.name.lower()}",
        )
    marked = [one for one in engagement.conduct if MARKED in one.codes]
    own = [one for one in marked if one.address == mail.address]
    if marked:
        # Anybody can name somebody else's number, or answer in a thread: under another address it
        # is weak, so that nobody marks an honest person by a mail of his own.
        yield Finding(
            code="PERSONA_MARKED",
            check=CHECK,
            strength=2 if own else 1,
            evidence=(earlier_mail((own or marked)[0]),),
        )


def _same_persona(
    mail: DirectMail, conduct: Sequence[Conduct], follows: Sequence[str]
) -> list[Conduct]:
    """Grow from what this mail shows: each earlier mail that is recognised may show more."""
    by_tie: dict[object, list[Conduct]] = defaultdict(list)
    for one in conduct:
        ties = (("from", one.address), ("id", one.origin.message_id), *_of_one(one.traits))
        for tie in (*ties, *(("after", each) for each in one.follows)):
            by_tie[tie].append(one)
    # Each tie is followed once: a chain of many mails costs no more than their number.
    waiting: list[object] = [("from", each) for each in (mail.address, *mail.reply_to)]
    waiting += [*_of_one(mail.traits), *(("id", each) for each in mail.references)]
    waiting += [("after", each) for each in follows]
    found: set[str] = set()
    while waiting:
        for one in by_tie.pop(waiting.pop(), ()):
            if one.origin.event_id not in found:
                found.add(one.origin.event_id)
                waiting += [("from", each) for each in (one.address, *one.reply_to)]
                waiting += [*_of_one(one.traits), *(("after", each) for each in one.follows)]
    return [one for one in conduct if one.origin.event_id in found]


def _of_one(traits: Iterable[Trait]) -> list[Trait]:
    """Traits that one person has; an address in a text may be anybody's."""
    return [one for one in traits if one.kind in OF_ONE_PERSON]
