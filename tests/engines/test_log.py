"""What is kept of an engine's log."""

import pytest

from larouter.engines.log import EngineLog


@pytest.fixture
def log(tmp_path):
    return EngineLog(tmp_path / "logs", "smollm2-135m")


def test_the_last_line_is_at_hand(log):
    log.write(b"first\n")
    log.write(b"second\n")

    assert log.last_line == "second"


def test_nothing_said_is_an_empty_line(log):
    assert log.last_line == ""


def test_an_empty_line_is_dropped(log):
    log.write(b"first\n")
    log.write(b"\n")

    assert log.last_line == "first"


def test_the_file_holds_every_line(log):
    log.write(b"first\n")
    log.write(b"second\n")

    assert log.path.read_text() == "first\nsecond\n"


def test_the_lines_at_hand_are_bounded(log):
    for number in range(200):
        log.write(b"%d\n" % number)

    assert log.lines == tuple(str(number) for number in range(150, 200))


def test_the_files_are_bounded(log):
    for _ in range(1_500):
        log.write(b"x" * 1_000)

    sizes = [path.stat().st_size for path in log.path.parent.iterdir()]
    assert len(sizes) == 2
    assert sum(sizes) <= 1024 * 1024


def test_a_second_start_goes_on_where_the_first_one_ended(log, tmp_path):
    log.write(b"first\n")

    EngineLog(tmp_path / "logs", "smollm2-135m").write(b"second\n")

    assert log.path.read_text() == "first\nsecond\n"


def test_a_long_line_is_cut(log):
    log.write(b"x" * 100_000)

    assert len(log.last_line) == 2_000


def test_a_model_id_cannot_choose_the_folder(tmp_path):
    log = EngineLog(tmp_path / "logs", "../../evil/model")

    assert log.path.parent == tmp_path / "logs"


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "logs").write_text("a file")
    log = EngineLog(tmp_path / "logs", "x")

    log.write(b"first\n")

    assert log.last_line == "first"
