"""Runs checks under one deadline: an exception or a timeout becomes a failed outcome.

Failed is not clean (design §2.6): the outcome is listed, logged and counted by the caller. The
deadline is a monotonic time that came from the front and only ever shrinks.
Failure: never raises, except for cancellation.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from milter.mail.finding import CheckOutcome, CheckStatus, Finding
from milter.ports import Clock, HistoryUnavailable

Answer = tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A named question: `ask` answers at once or, where it needs a store, later."""

    name: str
    ask: Callable[[], Answer | Awaitable[Answer]]


async def run_checks(
    checks: Sequence[Check], *, clock: Clock, deadline: float
) -> tuple[CheckOutcome, ...]:
    """One outcome per check, in order."""
    return tuple([await _run(check, clock, deadline) for check in checks])


async def _run(check: Check, clock: Clock, deadline: float) -> CheckOutcome:
    started = clock.monotonic()
    findings: Answer = ()
    reason = ""
    try:
        answer = check.ask()
        if isinstance(answer, tuple):
            findings = answer
        else:
            async with asyncio.timeout(max(0.0, deadline - started)):
                findings = await answer
    except TimeoutError:
        reason = "timeout"
    except HistoryUnavailable:
        reason = "history unavailable"
    except Exception as error:  # a check's own bug must not cost the other checks
        reason = f"raised {type(error).__name__}"
    return CheckOutcome(
        check=check.name,
        status=CheckStatus.FAILED if reason else CheckStatus.DONE,
        findings=() if reason else findings,
        reason=reason,
        elapsed_seconds=clock.monotonic() - started,
    )
