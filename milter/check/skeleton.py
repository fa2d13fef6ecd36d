"""The check to copy: counts nothing, finds nothing, shows the shape.

A check is a noun of what it looks at. It takes values of `milter.mail`, returns findings, and
knows neither weights nor dispositions. It refuses to act, log or count; `runner` wraps it.
To add one: copy this file, name its codes in config/weights.toml with family, weight and summary,
add a near-miss to its test (a message that must not fire), list it in `milter/pipeline.py`.

Standards: name the RFC sections that the check relies on.
Failure: raise whatever happens; `runner` makes it a failed outcome, which is never silence.
"""

from milter.mail.envelope import Transaction
from milter.mail.finding import Evidence, Finding, Source
from milter.mail.reading import Reading

CHECK = "skeleton"
_EXAMPLE_HEADER = "x-lurewall-example"


def check_skeleton(transaction: Transaction, reading: Reading) -> tuple[Finding, ...]:
    """Fires on a subject that is exactly the example token; no real mail has it."""
    if reading.header.subject != _EXAMPLE_HEADER or not transaction.envelope.recipients:
        return ()
    span = Evidence(
        source=Source.SUBJECT, part="", start=0, end=len(_EXAMPLE_HEADER), text=_EXAMPLE_HEADER
    )
    return (Finding(code="URGENCY", check=CHECK, strength=1, evidence=(span,)),)
