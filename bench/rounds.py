"""Interleaved rounds: every system gets the same mails in turn, so that a busy minute hits all.

A turn is one load through one system over N connections. Its CPU is that of the system's whole
process tree; latency is what the sender waited from its first octet to the answer.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.mix import Sample
from bench.systems import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn gave; latencies in milliseconds, in order of the answers."""

    system: str
    load: str
    connections: int
    mails: int
    seconds: float
    cpu_seconds: float
    latencies: tuple[float, ...]
    pss_bytes: int

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds a message."""
        return self.cpu_seconds * 1000 / self.mails

    def percentile(self, share: float) -> float:
        """The latency that `share` of the mails did not exceed, in ms."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def run_turn(system: System, load: str, samples: Sequence[Sample], connections: int) -> Turn:
    """Send all samples (or the most that the system is given) and measure."""
    waiting = iter(samples[: system.most])
    latencies: list[float] = []

    async def worker() -> None:
        link = await system.connect()
        for sample in waiting:
            started = time.perf_counter()
            await link.send(sample.raw)
            latencies.append((time.perf_counter() - started) * 1000)
        await link.close()

    cpu = system.tree.cpu_seconds()
    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(connections)))
    seconds = time.perf_counter() - started
    return Turn(
        system=system.name,
        load=load,
        connections=connections,
        mails=len(latencies),
        seconds=seconds,
        cpu_seconds=system.tree.cpu_seconds() - cpu,
        latencies=tuple(latencies),
        pss_bytes=system.tree.pss_bytes(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One system on one load: medians over the rounds, with the least and the greatest CPU."""

    system: str
    load: str
    connections: int
    rounds: int
    mails: int
    cpu_ms: float
    cpu_ms_range: tuple[float, float]
    wall_rate: float
    p50_ms: float
    p99_ms: float
    pss_bytes: int


def summed_up(turns: Sequence[Turn]) -> list[Result]:
    """One result for each system, load and number of connections, in order of appearance."""
    groups: dict[tuple[str, str, int], list[Turn]] = {}
    for turn in turns:
        groups.setdefault((turn.load, turn.system, turn.connections), []).append(turn)
    results = []
    for (load, system, connections), of_group in groups.items():
        cpu = [turn.cpu_ms for turn in of_group]
        results.append(
            Result(
                system=system,
                load=load,
                connections=connections,
                rounds=len(of_group),
                mails=of_group[0].mails,
                cpu_ms=statistics.median(cpu),
                cpu_ms_range=(min(cpu), max(cpu)),
                wall_rate=statistics.median(turn.mails / turn.seconds for turn in of_group),
                p50_ms=statistics.median(turn.percentile(0.50) for turn in of_group),
                p99_ms=statistics.median(turn.percentile(0.99) for turn in of_group),
                pss_bytes=max(turn.pss_bytes for turn in of_group),
            )
        )
    return results
