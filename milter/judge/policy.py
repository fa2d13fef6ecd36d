"""Verdict and recipient to disposition: an ordered table, first match wins, each row named.

Pure. Allow rows come first and ask for aligned authentication; then the policy rows; the last row
`default` is always there. The mode bounds what a row may do: observe changes nothing, annotate
never holds. In role after_queue nothing is rejected: the mail was accepted long ago (design §2.5).

Failure: none; a recipient that no row names falls to `default`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from milter.mail.envelope import Recipient
from milter.mail.reading import HeaderFacts
from milter.mail.verdict import Action, Disposition, Label, Mode, Verdict

_SEVERITY = {
    Action.DELIVER: 0,
    Action.ANNOTATE: 1,
    Action.QUARANTINE: 2,
    Action.REJECT: 3,
    Action.DEFER: 4,
}
_MARKED = {Label.LURE, Label.LURE_MALWARE, Label.SCAM}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What happens to marked mail for the recipients that `matches` names."""

    name: str
    matches: Callable[[Recipient], bool]
    annotate_from_db: float
    quarantine_from_db: float
    annotate_info: bool = False
    at_most: Action = Action.QUARANTINE
    hold_as: Action = Action.QUARANTINE
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """Senders that an owner vouches for until a day; `senders` holds addresses and domains."""

    name: str
    senders: frozenset[str]
    matches: Callable[[Recipient], bool]
    expires: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The table, the mode, and the languages of banners."""

    mode: Mode
    rows: tuple[Row, ...]
    allow: tuple[Allow, ...] = ()
    cannot_judge: Action = Action.DELIVER
    annotate_families: int = 2
    language_of: Callable[[Recipient, str], str] = lambda _recipient, _language: "en"

    def decide(
        self,
        verdict: Verdict,
        header: HeaderFacts,
        recipients: tuple[Recipient, ...],
        *,
        role: str,
        today: date,
        judged: bool = True,
    ) -> tuple[Disposition, ...]:
        """Dispositions, each with the recipients it is for; recipients keep their order."""
        groups: dict[tuple[Action, str, str], list[Recipient]] = {}
        for recipient in recipients:
            action, rule, language = self._for_one(verdict, header, recipient, today, judged)
            groups.setdefault((self._bounded(action, role), rule, language), []).append(recipient)
        return tuple(
            Disposition(
                action=action, rule=rule, recipients=tuple(members), banner_language=language
            )
            for (action, rule, language), members in groups.items()
        )

    def _for_one(
        self,
        verdict: Verdict,
        header: HeaderFacts,
        recipient: Recipient,
        today: date,
        judged: bool,
    ) -> tuple[Action, str, str]:
        if not judged:
            return self.cannot_judge, "cannot judge", "en"
        allowed = self._allowed(verdict, header, recipient, today)
        if allowed is not None:
            return Action.DELIVER, f"allow: {allowed.name}", "en"
        row = next(row for row in self.rows if row.matches(recipient))
        language = row.language or self.language_of(recipient, verdict.language)
        return _row_action(row, verdict, self.annotate_families), row.name, language

    def _allowed(
        self, verdict: Verdict, header: HeaderFacts, recipient: Recipient, today: date
    ) -> Allow | None:
        if not any(weighed.finding.code == "AUTH_ALIGNED" for weighed in verdict.findings):
            return None
        if len(header.header_from) != 1:
            return None
        sender = header.header_from[0]
        names = {sender.address.lower(), sender.domain.lower()}
        for allow in self.allow:
            if today <= allow.expires and allow.matches(recipient) and names & allow.senders:
                return allow
        return None

    def _bounded(self, action: Action, role: str) -> Action:
        """What the mode and the role let an action be."""
        if self.mode is Mode.OBSERVE:
            return Action.DELIVER
        if self.mode is Mode.ANNOTATE and action in (Action.QUARANTINE, Action.REJECT):
            return Action.ANNOTATE
        if role == "after_queue" and action is Action.REJECT:
            return Action.QUARANTINE
        return action


def unsplit(
    dispositions: tuple[Disposition, ...], *, hold_together: bool
) -> tuple[Disposition, ...]:
    """Dispositions that a milter can carry out: one for all who get the mail (design rule 9).

    Of those who get it the strictest annotation is everybody's. With `hold_together` (the MTA's own
    hold, which knows no recipients) one hold is everybody's, for refusing only some is a hold, too.
    """
    held = [one for one in dispositions if one.action in (Action.QUARANTINE, Action.REJECT)]
    if hold_together and any(one.action is not Action.REJECT for one in dispositions) and held:
        first = min(held, key=lambda one: _SEVERITY[one.action])
        return (_for_all(dispositions, replace(first, action=Action.QUARANTINE)),)
    given = tuple(one for one in dispositions if one.action in (Action.DELIVER, Action.ANNOTATE))
    others = tuple(one for one in dispositions if one not in given)
    if not given:
        return others
    strictest = max(given, key=lambda one: _SEVERITY[one.action])
    return (_for_all(given, strictest), *others)


def _for_all(dispositions: tuple[Disposition, ...], what: Disposition) -> Disposition:
    """That disposition for the recipients of all."""
    recipients = tuple(recipient for one in dispositions for recipient in one.recipients)
    return replace(what, recipients=recipients)


def severity(action: Action) -> int:
    """How strict an action is; a higher number is stricter."""
    return _SEVERITY[action]


def enforced(policy: Policy) -> Policy:
    """The same table as enforce mode would apply it: what `scan` and the mail log report."""
    return replace(policy, mode=Mode.ENFORCE)


def _row_action(row: Row, verdict: Verdict, annotate_families: int) -> Action:
    marked = verdict.score_db >= row.annotate_from_db and len(verdict.families) >= annotate_families
    if not marked:
        informs = row.annotate_info and verdict.label in {Label.INFO, *_MARKED}
        wanted = Action.ANNOTATE if informs else Action.DELIVER
    elif verdict.may_hold and verdict.score_db >= row.quarantine_from_db:
        wanted = Action.QUARANTINE
    else:
        wanted = Action.ANNOTATE
    if _SEVERITY[wanted] > _SEVERITY[row.at_most]:
        return row.at_most
    # A row that holds by refusing need not say so twice: `at_most` bounds how far it goes.
    return row.hold_as if wanted is Action.QUARANTINE else wanted
