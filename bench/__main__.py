"""`make bench`: the gateway beside its peers and the floor; writes docs/benchmarks.md.

`python -m bench [--rounds N] [--mails N] [--quick] [--output FILE]`. Needs two cores: the servers
are pinned to the first, sender and sink to the second. `--quick` is for a look, not for the record.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import dkim

from bench import growth
from bench.dns_stub import DnsStub
from bench.mix import SHARES, Sample, mix, of_kind
from bench.processes import CLIENT_CORE, free_port
from bench.real import real_mail
from bench.report import write_report
from bench.rounds import Turn, run_turn, summed_up
from bench.smtp import SinkProtocol
from bench.systems import System, start_all
from milter.demo.senders import signing_key

REPORT = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def _signer() -> tuple[Callable[[bytes], bytes], str]:
    """A DKIM signer with a key of this run, and the record of its public half."""
    pem, record = signing_key()

    def sign(raw: bytes) -> bytes:
        # dkimpy signs with CRLF only if the message has it.
        header: bytes = dkim.sign(raw, b"bench", b"example.net", pem, include_headers=[b"from"])
        return header + raw

    return sign, record


async def _measure(
    systems: Sequence[System], loads: dict[str, list[Sample]], rounds: int
) -> list[Turn]:
    turns: list[Turn] = []
    for system in systems:
        # The first mails pay for what is loaded at first use.
        await run_turn(system, "warm", next(iter(loads.values()))[:40], 2)
    for number in range(rounds):
        for load, samples in loads.items():
            for connections in (1, 8):
                for system in systems:
                    if system.loads and load not in system.loads:
                        continue
                    turn = await run_turn(system, load, samples, connections)
                    turns.append(turn)
                    print(
                        f"round {number + 1} {load:10} {system.name:20} {connections} conn. "
                        f"{turn.cpu_ms:8.2f} ms CPU, {turn.mails / turn.seconds:7.0f}/s, "
                        f"p99 {turn.percentile(0.99):7.1f} ms",
                        flush=True,
                    )
    return turns


async def _run(arguments: argparse.Namespace, folder: Path) -> None:
    loop = asyncio.get_running_loop()
    sign, record = _signer()
    dns_port = free_port()
    await loop.create_datagram_endpoint(lambda: DnsStub(record), local_addr=("127.0.0.1", dns_port))
    sink = await loop.create_server(lambda: SinkProtocol(lambda raw: None), "127.0.0.1", 0)
    sink_port = sink.sockets[0].getsockname()[1]
    systems, missing = await asyncio.to_thread(
        start_all, folder, sink_port=sink_port, dns_port=dns_port
    )
    try:
        loads = {"mix": mix(arguments.mails, sign)}
        loads |= {kind: of_kind(kind, arguments.mails // 4, sign) for kind in SHARES}
        if real := real_mail(arguments.mails // 2):
            loads["real mail"] = real
        turns = await _measure(systems, loads, arguments.rounds)
    finally:
        for system in systems:
            system.tree.stop()
    write_report(arguments.output, systems, missing, summed_up(turns))


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mails", type=int, default=400, help="mails of the mix in one turn")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path, default=REPORT)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.mails = 1, 200
    os.sched_setaffinity(0, {CLIENT_CORE})
    with tempfile.TemporaryDirectory(prefix="lurewall-bench-") as folder:
        Path(folder).chmod(0o755)
        asyncio.run(_run(arguments, Path(folder)))
    if arguments.output == REPORT:
        growth.write()


if __name__ == "__main__":
    main()
