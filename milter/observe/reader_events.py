"""What the pool of readers reports, as metrics and lines of the mail log."""

from milter.observe.maillog import MailLog
from milter.observe.metrics import Metrics

# Ends that are part of good order and need no line in the log.
_ORDERLY = frozenset(("recycled", "closed"))


class ReaderEvents:
    """Takes the events of the pool (`PoolEvents`)."""

    def __init__(self, metrics: Metrics, log: MailLog) -> None:
        self._metrics = metrics
        self._log = log

    def reader_waited(self, seconds: float) -> None:
        """A message got its reader."""
        self._metrics.reader_wait_seconds.observe(value=seconds)

    def reader_ended(self, reason: str, detail: str) -> None:
        """A reader was replaced."""
        self._metrics.readers_ended.add(reason)
        if reason not in _ORDERLY:
            self._log.problem("reader", detail=f"{reason} {detail}".strip())

    def template_ended(self, detail: str) -> None:
        """The process that readers are forked from died."""
        self._metrics.templates_ended.add()
        self._log.problem("template", detail=detail, is_fatal=True)
