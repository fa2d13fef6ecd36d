"""The quarantine for a person at the command line: store, next hop and clock from settings.

Makes no key: where there is none there are no holds either. Failure: Unusable.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from milter.adapters.files_quarantine import FilesQuarantine
from milter.adapters.keys import load_key
from milter.adapters.release_tokens import FileReleaseTokens
from milter.app.clock import SystemClock
from milter.app.from_settings import next_hop_options, release_hop_options
from milter.ports import Clock, HoldStore, NextHop
from milter.relay.marked_next_hop import MarkedNextHop
from milter.relay.next_hop import SmtpNextHop
from milter.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineAccess:
    """What views and acts need."""

    store: HoldStore
    next_hop: NextHop
    milter_next_hop: NextHop
    clock: Clock

    def next_hop_of(self, role: str) -> NextHop:
        """Where a hold is released to, by the role in which its mail was taken."""
        return self.milter_next_hop if role == "milter" else self.next_hop


@asynccontextmanager
async def open_quarantine(settings: Settings) -> AsyncIterator[QuarantineAccess]:
    """Open store and next hop, and close them after use."""
    store = FilesQuarantine(
        settings.quarantine_folder,
        load_key(settings.quarantine_key_file),
        retention=timedelta(days=settings.quarantine.retention_days),
    )
    clock = SystemClock()
    next_hop = SmtpNextHop(next_hop_options(settings), clock)
    release_hop = SmtpNextHop(release_hop_options(settings), clock)
    try:
        yield QuarantineAccess(
            store=store,
            next_hop=next_hop,
            milter_next_hop=MarkedNextHop(release_hop, FileReleaseTokens(settings.token_folder)),
            clock=clock,
        )
    finally:
        await next_hop.aclose()
        await release_hop.aclose()
        store.close()
