"""The table of metrics: whole from the start, bounded, mergeable, free of personal data."""

import re
import shutil
import subprocess

import pytest

from milter.mail.verdict import Action, Label
from milter.observe.exposition import Ledger, merge_families, text_exposition
from milter.observe.metrics import (
    END_REASONS,
    Build,
    Metrics,
    SupervisorMetrics,
    Words,
)
from milter.observe.table import Family, Merge
from milter.readers.connection import EndReason

# Lists longer than any that the gateway has.
MANY = Words(
    refusals=tuple(f"refusal_{n}" for n in range(40)),
    intents=tuple(f"intent_{n}" for n in range(40)),
    platforms=tuple(f"platform_{n}" for n in range(60)),
    families=tuple(f"family_{n}" for n in range(25)),
    checks=tuple(f"check_{n}" for n in range(20)),
    causes=tuple(f"cause_{n}" for n in range(15)),
)


def samples(*sources: tuple[Family, ...]) -> dict[str, float]:
    """Samples by their written name."""
    rows = text_exposition(merge_families(sources)).decode().splitlines()
    return {
        name: float(value)
        for name, value in (row.rsplit(" ", 1) for row in rows if not row.startswith("#"))
    }


def test_every_series_is_there_from_the_start_and_there_are_few() -> None:
    metrics = Metrics(MANY, Build(version="1"))
    before = samples(metrics.families())
    assert len(before) < 1500
    metrics.messages.add("mx", Action.QUARANTINE)
    metrics.verdicts.add(Label.LURE)
    metrics.message_seconds.observe("mx", value=0.2)
    metrics.next_hop_replies.add("end_of_data", "2")
    after = samples(metrics.families())
    assert after.keys() == before.keys()
    assert after['lurewall_messages_total{disposition="quarantine",role="mx"}'] == 1
    assert before['lurewall_messages_total{disposition="quarantine",role="mx"}'] == 0


@pytest.mark.parametrize(
    "hostile",
    ["victim@example.org", "example.net", "+15550100", 'a"b', "x\ny", "", "é", "x" * 10_000],
)
def test_a_word_from_outside_the_list_counts_as_other(hostile: str) -> None:
    metrics = Metrics(MANY)
    metrics.platforms.add(hostile)
    metrics.next_hop_failures.add(hostile, hostile)
    metrics.next_hop_failures.add("rcpt", hostile)
    found = samples(metrics.families())
    assert found['lurewall_platforms_total{platform="other"}'] == 1
    assert found['lurewall_next_hop_failures_total{cause="other",stage="other"}'] == 1
    assert found['lurewall_next_hop_failures_total{cause="other",stage="rcpt"}'] == 1
    if hostile not in ("", "é"):
        assert hostile not in text_exposition(metrics.families()).decode()


def test_label_values_are_plain_words() -> None:
    for family in (*Metrics(MANY).families(), *SupervisorMetrics().families()):
        for _name, labels, _value in family.samples:
            for label, value in labels:
                assert label != "address"
                if label not in ("le", "version", "model", "weights", "configuration"):
                    assert re.fullmatch(r"[a-z0-9_]+", value), (family.name, label, value)


def test_names_follow_the_conventions() -> None:
    units = ("_seconds", "_bytes", "_info")
    for family in (*Metrics().families(), *SupervisorMetrics().families()):
        assert family.name.startswith("lurewall_")
        assert family.help
        assert not family.help.endswith(".")
        if family.kind == "histogram":
            assert family.name.endswith(units)
        for name, _labels, _value in family.samples:
            assert name.endswith("_total") == (family.kind == "counter")


def test_the_ends_of_readers_are_those_of_the_pool() -> None:
    assert set(END_REASONS) == {reason.value for reason in EndReason}


def test_fronts_are_added_up_but_what_all_see_alike_is_not() -> None:
    one, two = Metrics(), Metrics()
    for metrics, count in ((one, 3), (two, 4)):
        metrics.connections.add("mx", by=count)
        metrics.connections_open.set("mx", to=count)
        metrics.quarantine_held.set(to=count)
        metrics.message_seconds.observe("mx", value=count / 100)
    merged = samples(one.families(), two.families())
    assert merged['lurewall_connections_total{role="mx"}'] == 7
    assert merged['lurewall_connections_open{role="mx"}'] == 7
    assert merged["lurewall_quarantine_held"] == 4
    assert merged['lurewall_message_seconds_count{role="mx"}'] == 2
    assert merged['lurewall_message_seconds_sum{role="mx"}'] == pytest.approx(0.07)
    assert merged['lurewall_message_seconds_bucket{le="0.025",role="mx"}'] == 0
    assert merged['lurewall_message_seconds_bucket{le="0.05",role="mx"}'] == 2
    assert merged['lurewall_message_seconds_bucket{le="+Inf",role="mx"}'] == 2


def test_counters_never_fall_when_a_front_dies_and_gauges_do() -> None:
    ledger = Ledger()
    for generation in range(3):
        metrics = Metrics(build=Build(configuration=f"hash{generation}"))
        metrics.connections.add("mx", by=5)
        metrics.connections_open.set("mx", to=2)
        metrics.reader_wait_seconds.observe(value=0.1)
        ledger.record(f"{generation}.0", metrics.families())
        ledger.retire(f"{generation}.0")
        found = samples(ledger.merged())
        assert found['lurewall_connections_total{role="mx"}'] == 5 * (generation + 1)
        assert found["lurewall_reader_wait_seconds_count"] == generation + 1
        assert 'lurewall_connections_open{role="mx"}' not in found
        assert not any("build_info" in name for name in found)
    ledger.retire("never seen")
    assert samples(ledger.merged()) == found


def test_generations_with_other_words_merge() -> None:
    old, new = Metrics(Words(platforms=("signal", "line"))), Metrics(Words(platforms=("signal",)))
    old.platforms.add("line")
    new.platforms.add("signal")
    merged = samples(old.families(), new.families())
    assert merged['lurewall_platforms_total{platform="line"}'] == 1
    assert merged['lurewall_platforms_total{platform="signal"}'] == 1


def test_levels_can_be_read_when_they_are_asked_for() -> None:
    metrics = Metrics()
    held = [7.0]
    metrics.readers.follow("busy", read=lambda: held[0])
    assert samples(metrics.families())['lurewall_readers{state="busy"}'] == 7
    held[0] = 2
    metrics.bytes_in_flight.change(by=100)
    metrics.bytes_in_flight.change(by=-40)
    found = samples(metrics.families())
    assert found['lurewall_readers{state="busy"}'] == 2
    assert found["lurewall_in_flight_bytes"] == 60


def test_build_info_names_what_runs() -> None:
    build = Build(version="0.1", model="m1", weights="w1", configuration="abc")
    families = Metrics(build=build).families()
    [info] = [family for family in families if family.name == "lurewall_build_info"]
    assert info.merge is Merge.MAX
    assert dict(info.samples[0][1]) == {
        "version": "0.1",
        "model": "m1",
        "weights": "w1",
        "configuration": "abc",
        "mode": "observe",
    }


@pytest.mark.servers
def test_promtool_finds_nothing_to_say() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool comes with Debian's package prometheus")
    text = text_exposition(
        merge_families((Metrics(MANY).families(), SupervisorMetrics().families()))
    )
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (checked.stdout + checked.stderr).decode() == ""
    assert checked.returncode == 0
