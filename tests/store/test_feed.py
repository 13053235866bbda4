import gevent
import pytest

from larouter.core.report import RequestLine


def line(number=0):
    return RequestLine(
        id=f"req_{number}", started_ms=number, project="notes", asked="auto", tier="SIMPLE",
        stage="rules", reason="", model=None,
    )  # fmt: skip


def taken(lines, many):
    return [next(lines) for _ in range(many)]


def test_a_line_reaches_every_watcher(feed):
    with feed.subscribe() as first, feed.subscribe() as second:
        feed.publish(line())

        assert taken(first(1), 1) == taken(second(1), 1) == [line()]


def test_lines_come_in_their_order(feed):
    with feed.subscribe() as lines:
        for number in range(5):
            feed.publish(line(number))

        assert taken(lines(1), 5) == [line(number) for number in range(5)]


def test_a_silent_time_is_none(feed):
    with feed.subscribe() as lines:
        silent = lines(0.01)

        assert taken(silent, 2) == [None, None]


def test_a_line_wakes_a_watcher_that_waits(feed):
    with feed.subscribe() as lines, gevent.Timeout(5):
        waiting = gevent.spawn(next, lines(60))
        gevent.sleep(0.01)
        feed.publish(line())

        assert waiting.get() == line()


def test_what_was_before_is_not_told(feed):
    feed.publish(line())

    with feed.subscribe() as lines:
        assert taken(lines(0.01), 1) == [None]


def test_a_slow_watcher_loses_the_oldest(feed):
    with feed.subscribe() as lines:
        for number in range(1000):
            feed.publish(line(number))

        kept = list(iter(lines(0.01).__next__, None))

    assert kept == [line(number) for number in range(800, 1000)]


def test_a_slow_watcher_keeps_nobody_waiting(feed):
    with feed.subscribe(), feed.subscribe() as quick:
        for number in range(300):
            feed.publish(line(number))
            assert next(quick(1)) == line(number)


def test_a_line_during_the_last_one_is_not_lost(feed):
    with feed.subscribe() as lines:
        endless = lines(0.01)
        feed.publish(line(1))
        first = next(endless)
        feed.publish(line(2))

        assert [first, next(endless), next(endless)] == [line(1), line(2), None]


def test_it_is_watched_while_somebody_watches(feed):
    before = feed.is_watched
    with feed.subscribe():
        during = feed.is_watched

    assert (before, during, feed.is_watched) == (False, True, False)


def test_a_watcher_that_breaks_off_is_forgotten(feed):
    with pytest.raises(LookupError), feed.subscribe():
        raise LookupError

    assert not feed.is_watched


def test_closing_ends_every_watcher(feed):
    with feed.subscribe() as lines, gevent.Timeout(5):
        watcher = gevent.spawn(list, lines(60))
        gevent.sleep(0.01)
        feed.close()

        assert [line for line in watcher.get() if line] == []


def test_a_watcher_that_comes_after_the_close_is_told_nothing(feed):
    feed.close()

    with feed.subscribe() as lines:
        assert list(lines(60)) == []
