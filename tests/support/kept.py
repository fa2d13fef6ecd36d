"""What a running gateway holds, read from its folder beside it: quicker than the command line."""

import asyncio
from datetime import timedelta

from milter.adapters.files_quarantine import FilesQuarantine
from milter.adapters.keys import load_key
from milter.mail.quarantine import HoldState
from tests.support.gateway import Gateway


def held_mails(running: Gateway) -> dict[str, list[bytes]]:
    """Recipient to the originals that are held for it."""
    state = running.folder / "state"
    store = FilesQuarantine(
        state / "quarantine", load_key(state / "quarantine.key"), retention=timedelta(days=30)
    )
    try:
        return asyncio.run(_held(store))
    finally:
        store.close()


async def _held(store: FilesQuarantine) -> dict[str, list[bytes]]:
    held: dict[str, list[bytes]] = {}
    for record in await store.list_records():
        if record.state is HoldState.HELD:
            raw = await store.read_raw(record.quarantine_id)
            for recipient in record.envelope.recipients:
                held.setdefault(recipient.path.raw.decode(), []).append(raw)
    return held
