import json
from io import BytesIO

import pytest

from milter.observe.health import Health
from milter.observe.maillog import MailLog, MailLogSettings
from milter.observe.metrics import Metrics
from milter.observe.place import place_of
from milter.observe.reader_events import ReaderEvents


class Secret:
    """Raises an exception that quotes it."""

    def __int__(self) -> int:
        raise TypeError("secret")


def test_ready_until_a_component_says_otherwise_and_again_when_it_is_well() -> None:
    health = Health()
    assert (health.is_ready, health.reasons) == (True, ())
    health.report("readers", "none is up")
    health.report("next_hop", "not reachable")
    health.report("next_hop", "greets with 5xx")
    assert not health.is_ready
    assert health.reasons == ("next_hop: greets with 5xx", "readers: none is up")
    health.report("next_hop")
    health.report("readers")
    assert health.is_ready
    words = ["none is up"]
    health.follow("readers", lambda: words[0])
    assert (health.is_ready, health.reasons) == (False, ("readers: none is up",))
    words[0] = ""
    assert (health.is_ready, health.reasons) == (True, ())


def test_the_place_of_an_exception_is_the_innermost_line_of_ours() -> None:
    with pytest.raises(ValueError) as raised:
        Metrics().messages.add("too", "many", "labels")
    assert place_of(raised.value).startswith("ValueError at milter.observe.table:")
    with pytest.raises(TypeError) as foreign:
        int(Secret())  # type: ignore[call-overload]
    assert place_of(foreign.value).startswith("TypeError at tests.unit.observe.test_health:")
    assert "secret" not in place_of(foreign.value)
    assert place_of(OSError("secret")) == "OSError"


def test_readers_are_counted_and_their_accidents_logged() -> None:
    stream = BytesIO()
    metrics = Metrics()
    events = ReaderEvents(metrics, MailLog(MailLogSettings(), process="p", stream=stream))
    events.reader_waited(0.25)
    events.reader_ended("recycled", "")
    events.reader_ended("crash", "SIGSEGV")
    events.template_ended("SIGKILL")
    found = {
        (name, labels): value
        for family in metrics.families()
        for name, labels, value in family.samples
    }
    assert found["lurewall_readers_ended_total", (("reason", "crash"),)] == 1
    assert found["lurewall_readers_ended_total", (("reason", "recycled"),)] == 1
    assert found["lurewall_templates_ended_total", ()] == 1
    assert found["lurewall_reader_wait_seconds_sum", ()] == 0.25
    details = [json.loads(line)["detail"] for line in stream.getvalue().splitlines()]
    assert details == ["crash SIGSEGV", "SIGKILL"]
