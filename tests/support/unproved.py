"""A gateway whose readers find fault with every edit: `python -m tests.support.unproved FILE`."""

import functools
import sys
from pathlib import Path
from typing import Any

from milter.app import build, supervisor
from milter.app.service_plan import load_plan
from milter.mail.reading import Facts, IntegrityReport
from milter.readers.reader import ReaderSetup


def verify(original: bytes, edited: bytes, facts: Facts) -> IntegrityReport:
    """What a reader says that sees a change outside the edit."""
    return IntegrityReport(problem="changed", detail="", parts=0)


def build_front(*arguments: Any) -> build.MailFront:
    """The real front, but for who proves its edits."""
    build.ReaderSetup = functools.partial(ReaderSetup, verify="tests.support.unproved:verify")
    return build.build_front(*arguments)


if __name__ == "__main__":
    supervisor.serve(
        lambda: load_plan(Path(sys.argv[1]), in_service=False),
        builder="tests.support.unproved:build_front",
    )
