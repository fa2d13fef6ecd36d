"""Reasons for log, header, notice and banner, all from the same findings.

Refuses to quote the message: codes, weights and fixed summaries only; evidence spans stay with
the verdict. Failure: none.
"""

from milter.mail.verdict import Verdict


def reason_codes(verdict: Verdict) -> tuple[str, ...]:
    """`CODE=+7.0` for every finding that weighed, strongest first."""
    return tuple(
        f"{weighed.finding.code.replace(' ', '_')}={weighed.weight_db:+.1f}"
        for weighed in verdict.findings
        if weighed.weight_db
    )


def sentences(verdict: Verdict) -> tuple[str, ...]:
    """One sentence per finding that weighed, strongest evidence first, mitigation last."""
    return tuple(
        f"{weighed.summary} ({weighed.weight_db:+.1f} dB)"
        for weighed in verdict.findings
        if weighed.weight_db
    )
