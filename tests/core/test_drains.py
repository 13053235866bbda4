from larouter.core.drains import MOST, Drains


def test_so_many_are_read_on_at_once():
    drains = Drains()

    assert all(drains.take() for _ in range(MOST))
    assert not drains.take()

    drains.give_back()
    assert drains.take()


def test_a_server_that_stops_reads_nothing_on():
    drains = Drains()
    drains.close()

    assert not drains.take()
