from larouter.core.ports import Leaving


def test_nobody_has_left_at_first():
    assert not Leaving().fired


def test_leaving_wakes_who_waits():
    leaving, woken = Leaving(), []
    leaving.on_fire(lambda: woken.append(leaving.fired))

    leaving.fire()

    assert woken == [True]


def test_who_comes_after_the_leave_is_told_at_once():
    leaving, woken = Leaving(), []
    leaving.fire()

    leaving.on_fire(lambda: woken.append("now"))

    assert woken == ["now"]


def test_one_leaves_once():
    leaving, woken = Leaving(), []
    leaving.on_fire(lambda: woken.append("now"))

    leaving.fire()
    leaving.fire()

    assert woken == ["now"]


def test_who_no_longer_waits_is_not_woken():
    leaving, woken = Leaving(), []
    leaving.on_fire(lambda: woken.append("now"))

    leaving.on_fire(None)
    leaving.fire()

    assert (leaving.fired, woken) == (True, [])


def test_the_last_to_wait_is_the_one_who_is_woken():
    leaving, woken = Leaving(), []
    leaving.on_fire(lambda: woken.append("first"))
    leaving.on_fire(lambda: woken.append("second"))

    leaving.fire()

    assert woken == ["second"]


def test_forgetting_after_the_leave_is_harmless():
    leaving = Leaving()
    leaving.fire()

    leaving.on_fire(None)

    assert leaving.fired


def test_somebody_is_awaited_until_forgotten():
    leaving = Leaving()
    before = leaving.is_awaited
    leaving.on_fire(lambda: None)
    during = leaving.is_awaited
    leaving.on_fire(None)

    assert (before, during, leaving.is_awaited) == (False, True, False)


def test_who_forgets_itself_forgets_nobody_else():
    leaving, woken = Leaving(), []
    calls = [lambda name=name: woken.append(name) for name in ("first", "second")]
    for call in calls:
        leaving.on_fire(call)

    leaving.forget(calls[0])
    leaving.fire()

    assert woken == ["second"]


def test_who_has_forgotten_itself_is_not_woken():
    leaving = Leaving()
    woken: list[int] = []
    leaving.on_fire(woken.clear)

    leaving.forget(woken.clear)

    assert not leaving.is_awaited


def test_an_answer_is_read_on_only_where_there_is_a_place():
    leaving, taken = Leaving(), []
    assert not leaving.read_on()

    def take():
        taken.append("one")
        return True

    leaving.may_read_on = take
    assert leaving.read_on()
    assert leaving.read_on()

    assert taken == ["one"]
