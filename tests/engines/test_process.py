"""One child, from its start to its end, as its parent sees it."""

import sys
import time
from pathlib import Path

import pytest

from larouter.engines.log import EngineLog
from larouter.engines.process import Process
from tests.engines.starter import ENVIRONMENT

CHILDREN = str(Path(__file__).parent / "children.py")


@pytest.fixture
def ended():
    """The children that have told their end."""
    return []


@pytest.fixture
def start(tmp_path, ended):
    """Start a child that behaves as its name says."""
    started = []

    def make(name):
        process = Process(
            [sys.executable, CHILDREN, "--alias", name],
            key="secret",
            environment=ENVIRONMENT,
            log=EngineLog(tmp_path, name),
            on_exit=ended.append,
        )
        started.append(process)
        return process

    yield make
    for process in started:
        process.stop()


def test_a_child_says_when_it_is_ready(start):
    process = start("good")

    assert process.wait_decided(5)
    assert process.address.url == f"http://127.0.0.1:{process.ready.port}/v1"
    assert process.address.key == "secret"


def test_there_is_no_address_before_it_is_ready(start):
    assert start("slow").address is None


def test_a_child_that_is_late_is_undecided(start):
    assert not start("silent").wait_decided(0.1)


def test_a_stopped_child_is_gone(start):
    process = start("good")
    process.wait_decided(5)

    process.stop()

    assert not process.is_alive
    assert process.address is None


def test_a_child_that_does_not_leave_is_killed(start):
    process = start("stubborn")

    process.stop()

    assert not process.is_alive


def test_a_child_may_be_stopped_twice(start):
    process = start("good")

    process.stop()
    process.stop()

    assert not process.is_alive


def test_the_end_of_a_child_is_told_once(start, ended):
    process = start("crash")
    process.wait_gone(5)
    process.stop()

    assert ended == [process]


def test_a_crash_decides_the_wait(start):
    process = start("crash")

    assert process.wait_decided(5)
    assert process.ready is None
    assert process.returncode == 7


def test_the_last_words_are_kept(start):
    process = start("crash")
    process.wait_gone(5)

    deadline = time.monotonic() + 2
    while not process.log.last_line and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.log.last_line == "something went wrong in /a/path"


def test_a_refusal_is_understood(start):
    process = start("damaged")
    process.wait_gone(5)

    assert process.refusal.kind == "damaged"
    assert process.log.last_line == "not what it should be"


def test_a_ready_child_answers_and_is_idle(start):
    process = start("good")
    process.wait_decided(5)

    assert process.is_answering()
    assert not process.is_busy()


@pytest.mark.parametrize("name", ["deaf", "silent"])
def test_a_child_that_does_not_answer_counts_as_busy(start, name):
    process = start(name)
    process.wait_decided(0.3)

    assert not process.is_answering()
    assert process.is_busy()
