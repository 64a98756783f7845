"""Failed events are tried again after growing pauses, and not for ever."""

from datetime import timedelta

from zorgid.outbox.rules import HANDLER_TIME, LEASE, LONGEST_PAUSE, MOST_TRIES, pause_after


def test_pauses_double_and_the_last_failure_is_final() -> None:
    pauses = [pause_after(tries) for tries in range(1, MOST_TRIES + 2)]
    assert pauses[:4] == [timedelta(seconds=seconds) for seconds in (1, 2, 4, 8)]
    assert pauses[-2:] == [None, None]
    assert all(pause <= LONGEST_PAUSE for pause in pauses if pause)


def test_a_handler_is_given_up_before_its_lease_is_over() -> None:
    """Otherwise one event could be handled twice at once."""
    assert HANDLER_TIME < LEASE
