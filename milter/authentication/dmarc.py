"""DMARC: does a domain that vouches for this message belong to the author's organisation?

Pure: takes the results of DKIM and SPF, and answers of the DNS; names what is still to be asked.
All passing signatures count and the SPF pass of MAIL FROM (of HELO where the reverse-path is null).
Refuses to pick an author: a message whose From is missing, unreadable, doubled, or that names
several domains has permerror as a verdict of its own, and nothing is asked for it.

Standards: RFC 9989 §4.4 (alignment), §4.7 (t, sp, np), §4.10 (walk, policy, organisation), §5.3
(author, temporary errors); RFC 8601 §2.7.7 and the registry of properties (`policy.dmarc`).
Failure: none; temperror is a result: where a failed look-up could have changed the outcome.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from milter.authentication.dmarc_record import REQUESTS, DmarcRecord, Walk, walk, walk_questions
from milter.mail.address import to_a_labels
from milter.mail.dns import Answers, AnswerStatus, Needs, Question
from milter.mail.reading import AuthResult, NamedMailbox

_MILDER = {"reject": "quarantine", "quarantine": "none", "none": "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Whose domain the message shows; `problem` says why there is none."""

    domain: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcAnswer:
    """The result, and the author's organisation as far as the DNS names it ('' if it does not)."""

    result: AuthResult
    organisation: str = ""


def author_of(mailboxes: Iterable[NamedMailbox], *, from_fields: int) -> Author:
    """The one author domain (§5.3.1); several mailboxes of one domain are one author."""
    if from_fields != 1:
        return Author(problem="no From field" if from_fields < 1 else "more than one From field")
    domains = {_normal(mailbox.domain) for mailbox in mailboxes}
    if len(domains) > 1:
        return Author(problem="more than one domain in From")
    domain = next(iter(domains), "")
    return Author(domain=domain) if domain else Author(problem="no domain in From")


def check_dmarc(
    author: Author, results: tuple[AuthResult, ...], answers: Answers, *, authserv_id: str
) -> DmarcAnswer | Needs:
    """The DMARC result of a message, or what has to be asked first."""
    if author.problem:
        return DmarcAnswer(result=_result("permerror", authserv_id, reason=author.problem))
    domain = author.domain
    walked = walk(domain, answers)
    if isinstance(walked, Needs):
        return walked
    record = walked.policy_record
    # Above a name that could not be asked there may be the organisation, and its record counts.
    if not walked.is_whole and (record is None or record.domain != domain):
        found = _result("temperror", authserv_id, domain=domain, reason="DNS failure")
        return DmarcAnswer(result=found)
    # Without a record the domain stands for itself (§4.10.2), but nobody said where it ends.
    organisation = walked.organisation if walked.is_whole and walked.records else ""
    if record is None or not record.policy:
        reason = "" if record is None else "record without a policy"
        found = _result("none", authserv_id, domain=domain, reason=reason)
        return DmarcAnswer(result=found, organisation=organisation)
    outcome = _outcome(walked, record, results, answers)
    if isinstance(outcome, Needs):
        return outcome
    policy = _requested(walked, record, answers, matters=outcome == "fail")
    if isinstance(policy, Needs):
        return policy
    if record.is_test:
        policy = _MILDER[policy]
    found = _result(outcome, authserv_id, domain=domain, policy=policy)
    return DmarcAnswer(result=found, organisation=organisation)


def likely_questions(domains: Iterable[str]) -> tuple[Question, ...]:
    """What will be asked for these author domains: to ask it before signatures are known."""
    names = (_normal(domain) for domain in domains)
    return tuple(question for name in names if name for question in walk_questions(name))


def vouching_domains(
    results: Iterable[AuthResult], *, with_result: str = "pass"
) -> tuple[tuple[str, str], ...]:
    """Method and domain of each DKIM and SPF result with that outcome."""
    wanted = {"dkim": (("header", "d"),), "spf": (("smtp", "mailfrom"), ("smtp", "helo"))}
    return tuple(
        (result.method, _normal(value.rpartition("@")[2]))
        for result in results
        if result.result == with_result
        for ptype, name, value in result.properties
        if (ptype, name) in wanted.get(result.method, ())
    )


def _outcome(
    walked: Walk, record: DmarcRecord, results: tuple[AuthResult, ...], answers: Answers
) -> str | Needs:
    """pass, fail, or temperror where a failed look-up leaves it open (§5.3.2 step 5)."""
    is_open = False
    for status in ("pass", "temperror"):
        for method, domain in vouching_domains(results, with_result=status):
            is_strict = record.strict_dkim if method == "dkim" else record.strict_spf
            aligned = _is_aligned(walked, domain, answers, is_strict=is_strict)
            if isinstance(aligned, Needs):
                return aligned
            if aligned and status == "pass":
                return "pass"
            is_open = is_open or aligned is not False
    return "temperror" if is_open else "fail"


def _is_aligned(
    walked: Walk, domain: str, answers: Answers, *, is_strict: bool
) -> bool | Needs | None:
    """§4.10.2; None where a failed look-up leaves it open.

    A domain outside of the author's organisation cannot have the same one, so nobody makes us walk
    for it.
    """
    if domain == walked.domain:
        return True
    if is_strict or not domain:
        return False
    if not walked.is_whole:
        # Nothing below the failed name binds the two together but a label they share.
        return None if domain.rpartition(".")[2] == walked.domain.rpartition(".")[2] else False
    organisation = walked.organisation
    if domain != organisation and not domain.endswith("." + organisation):
        return False
    other = walk(domain, answers)
    if isinstance(other, Needs):
        return other
    return other.organisation == organisation if other.is_whole else None


def _requested(
    walked: Walk, record: DmarcRecord, answers: Answers, *, matters: bool
) -> str | Needs:
    """What the owner asks for when a message fails (§4.10.1): p, sp, or np for no such name.

    Whether there is such a name is asked only where it `matters`; unknown, the milder one counts.
    """
    if record.domain == walked.domain:
        return record.policy
    subdomain_policy = record.subdomain_policy or record.policy
    if not record.missing_policy or not matters:
        return subdomain_policy
    exists = Question(walked.domain, "A")
    if exists not in answers:
        return Needs(questions=(exists,))
    status = answers[exists].status
    if status is AnswerStatus.FAILED:
        return min(record.missing_policy, subdomain_policy, key=REQUESTS.index)
    return record.missing_policy if status is AnswerStatus.NO_NAME else subdomain_policy


def _result(
    outcome: str, authserv_id: str, *, domain: str = "", policy: str = "", reason: str = ""
) -> AuthResult:
    properties = [("header", "from", domain)] if domain else []
    if policy:
        properties.append(("policy", "dmarc", policy))
    return AuthResult(
        method="dmarc",
        result=outcome,
        authserv_id=authserv_id,
        reason=reason,
        properties=tuple(properties),
    )


def _normal(domain: str) -> str:
    """A-labels in lower case without a final dot; '' for what is no domain name."""
    if domain.startswith("["):
        return ""
    name = to_a_labels(domain.removesuffix("."))
    return name if name and not name.rpartition(".")[2].isdigit() else ""
