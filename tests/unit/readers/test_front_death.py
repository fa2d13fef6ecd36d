"""kill -9 of the front: template and readers end by themselves, even one that hangs."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from tests.unit.readers.conftest import ROOT, is_alive, until

_FRONT = """
import asyncio, time
from milter.mail.reading import Facts
from milter.readers.pool import PoolSettings, ReaderPool
from milter.readers.reader import ReaderSetup

class Events:
    reader_waited = reader_ended = template_ended = lambda *_: None

async def main():
    fake = "tests.support.fake_examine"
    setup = ReaderSetup(examine=fake + ":examine", verify=fake + ":verify", warm=fake + ":warm")
    pool = ReaderPool(PoolSettings(setup=setup, readers=2), Events())
    await pool.start()
    print(*pool.pids, flush=True)
    await pool.examine(b"ORDER\\r\\n", Facts(), time.monotonic() + 60)
    await asyncio.sleep(60)

try:
    from uvloop import new_event_loop as new_loop  # the loop that a front runs on
except ImportError:
    new_loop = None
with asyncio.Runner(loop_factory=new_loop) as runner:
    runner.run(main())
"""


@pytest.mark.parametrize("order", ["ok", "hang", "spin"])
@pytest.mark.parametrize("template_dies_first", [False, True])
async def test_no_orphan_is_left(order: str, template_dies_first: bool) -> None:
    front = subprocess.Popen(  # noqa: ASYNC220 (a moment only)
        [sys.executable, "-c", _FRONT.replace("ORDER", order)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    with front:
        assert front.stdout is not None
        line = await asyncio.to_thread(front.stdout.readline)
        template, *readers = map(int, line.split())
        assert len(readers) == 2
        assert all(map(is_alive, (template, *readers)))
        if template_dies_first:
            os.kill(template, signal.SIGKILL)
        front.kill()
    await until(lambda: not any(map(is_alive, (template, *readers))))
