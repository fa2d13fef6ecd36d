"""When the breaker opens, who may ask meanwhile, and when it closes."""

import random

from milter.adapters.history.breaker import Breaker, BreakerOptions

OPTIONS = BreakerOptions(
    in_a_row=3, window_seconds=10.0, window_least=6, first_wait=1.0, longest_wait=4.0
)


class Heard(list[bool]):
    """Remembers what it hears."""

    def __call__(self, is_open: bool) -> None:
        self.append(is_open)


def breaker(heard: Heard, jitter: float = 1.0) -> Breaker:
    return Breaker(OPTIONS, jitter=lambda: jitter, told=heard)


def opened(heard: Heard, jitter: float = 1.0) -> Breaker:
    """Open since time 0."""
    made = breaker(heard, jitter)
    for _ in range(3):
        made.failed(0.0)
    return made


def test_failures_in_a_row_open_it_and_a_success_between_does_not() -> None:
    heard = Heard()
    made = breaker(heard)
    for outcome in (made.failed, made.failed, made.succeeded, made.failed, made.failed):
        outcome(0.0)
    assert made.allows(0.0)
    assert heard == []
    made.failed(0.0)
    assert not made.allows(0.0)
    assert heard == [True]


def test_a_store_that_mostly_fails_opens_it_too() -> None:
    heard = Heard()
    made = breaker(heard)
    for second in range(5):
        made.succeeded(second)
        made.failed(second)
    made.failed(5)
    assert heard == [True]


def test_what_is_long_ago_does_not_count() -> None:
    heard = Heard()
    made = breaker(heard)
    for second in range(40):
        made.failed(3.0 * second)
        made.succeeded(3.0 * second)
    assert heard == []


def test_one_attempt_at_a_time_when_the_wait_is_over() -> None:
    heard = Heard()
    made = opened(heard)
    assert made.wait(0.25) == 0.75
    assert not made.allows(0.99)
    assert made.allows(1.0)
    assert not made.allows(1.0)
    assert made.wait(1.0) > 0
    made.abandoned()
    assert made.allows(1.0)
    made.succeeded(1.1)
    assert made.allows(1.1)
    assert made.wait(1.1) == 0
    assert heard == [True, False]


def test_who_asked_before_it_opened_does_not_close_it() -> None:
    made = opened(Heard())
    made.succeeded(0.5)
    assert not made.allows(0.5)


def test_each_vain_attempt_doubles_the_wait_up_to_a_bound() -> None:
    made = opened(Heard())
    now, waits = 0.0, []
    for _ in range(4):
        waits.append(made.wait(now))
        now += made.wait(now)
        assert made.allows(now)
        made.failed(now)
    assert waits == [1.0, 2.0, 4.0, 4.0]
    assert made.allows(now + 4.0)
    made.succeeded(now + 4.0)
    for _ in range(3):
        made.failed(now)
    assert made.wait(now) == 1.0


def test_gateways_do_not_come_back_in_the_same_moment() -> None:
    dice = random.Random(1)
    waits = {opened(Heard(), dice.random()).wait(0.0) for _ in range(20)}
    assert len(waits) == 20
    assert min(waits) >= 0.5
    assert max(waits) <= 1.0
