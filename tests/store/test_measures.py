"""What was measured, across a restart."""

from larouter.core.pace import Pace
from larouter.store.measures import Measures
from tests.fakes import LOCAL


def learn(pace, total_s=2.0):
    pace.learn(LOCAL, prompt_tokens=10, output_tokens=10, first_s=0.5, total_s=total_s)


def restored(writer):
    pace = Pace()
    Measures(writer).restore(pace)
    return pace.timing(LOCAL.key)


def test_what_was_measured_is_there_after_a_restart(writer):
    pace = Pace()
    learn(pace)

    Measures(writer).keep(pace)

    assert restored(writer) == pace.timing(LOCAL.key)


def test_the_newest_is_kept(writer):
    pace, measures = Pace(), Measures(writer)
    for total_s in (2.0, 9.0):
        learn(pace, total_s)
        measures.keep(pace)

    assert restored(writer) == pace.timing(LOCAL.key)


def test_nothing_new_is_nothing_written(writer):
    pace, measures = Pace(), Measures(writer)
    learn(pace)
    measures.keep(pace)
    writer.run(lambda connection: connection.execute("DELETE FROM measured"))

    measures.keep(pace)

    assert restored(writer) is None
