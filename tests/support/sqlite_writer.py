"""A process that writes into a SQLite store; says each batch that was acknowledged, one a line.

`python -m tests.support.sqlite_writer FILE SEED BATCHES`
"""

import asyncio
import random
import sys
from pathlib import Path

from milter.adapters.history.sqlite_store import SqliteStore
from milter.adapters.history.store import Batch, StoreUnavailable
from tests.support.records import NOW, entry, key, mark

PARTS = 6


def batch(number: int) -> Batch:
    """Of one message: an entry in each of some dossiers, marks in trails that others widen too."""
    name = f"{number:06}"
    return Batch(
        entries=tuple((key(f"d{part}-{number % 40}"), entry(name)) for part in range(PARTS)),
        marks=tuple((key(f"t{part}"), mark(f"f{number % 50}", at=number)) for part in range(PARTS)),
    )


async def _write(path: Path, seed: int, batches: int) -> None:
    order = list(range(batches))
    random.Random(seed).shuffle(order)
    store = SqliteStore(path, wait_seconds=0.2)
    for number in order:
        while True:
            try:
                await store.write(batch(number), NOW)
                break
            except StoreUnavailable as error:
                if str(error) != "locked":
                    raise
        print(number, flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(_write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
