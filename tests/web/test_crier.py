"""The desktop is told of each alert once, and of many at once in few words."""

import gevent

from larouter.core.errors import StorageDown
from larouter.core.report import AlertLine
from larouter.web.crier import Crier


class Screen:
    """A desktop that remembers what it showed."""

    def __init__(self):
        self.shown = []

    def tell(self, title, _text):
        self.shown.append(title)


def an_alert(id, budget=1, mark=50):
    return AlertLine(
        id=id, project="bakery", budget_id=budget, budget=f"budget {budget}", mark=mark, spent=1,
        cap=2, start_ms=0, created_ms=0,
    )  # fmt: skip


def crier(screen, claimed, lines):
    return Crier(screen.tell, lambda: claimed, lambda: lines)


def test_nothing_new_nothing_said():
    screen = Screen()

    assert crier(screen, [], [an_alert(1)]).tell_new() == 0
    assert screen.shown == []


def test_what_another_process_tells_is_not_told_here():
    screen = Screen()

    assert crier(screen, [2], [an_alert(2, 2), an_alert(1)]).tell_new() == 1
    assert screen.shown == ["bakery: budget 2 has passed 50 %"]


def test_of_several_marks_the_highest_is_told():
    screen = Screen()
    lines = [an_alert(3, mark=100), an_alert(2, mark=80), an_alert(1, mark=50)]

    assert crier(screen, [1, 2, 3], lines).tell_new() == 1
    assert screen.shown == ["bakery: budget 1 has passed 100 %"]


def test_many_at_once_are_not_many_windows():
    screen = Screen()
    lines = [an_alert(n, budget=n) for n in range(9, 0, -1)]

    assert crier(screen, range(1, 10), lines).tell_new() == 4
    assert screen.shown[0] == "bakery: budget 9 has passed 50 %"
    assert screen.shown[-1] == "6 more alerts"


def test_a_database_that_is_down_ends_nothing(caplog):
    def claim():
        raise StorageDown("it is down")

    working = gevent.spawn(Crier(Screen().tell, claim, list).work)
    gevent.sleep(0.05)

    assert not working.dead
    assert "nobody could look for new alerts" in caplog.text
    working.kill()
