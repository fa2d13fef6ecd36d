from milter.readers.backoff import Backoff


def test_pauses_grow_while_lives_are_short_and_start_afresh_after_a_long_one() -> None:
    backoff = Backoff()
    pauses = [backoff.pause_after(0.0) for _ in range(9)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.1, 10.0)
    assert backoff.pause_after(3600.0) == 0.1
