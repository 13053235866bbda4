"""The provider of this machine: the same road, to a process that a runner keeps."""

import json

import pytest

from larouter.core.catalog import FREE, Model
from larouter.core.errors import (
    EngineDown,
    ModelNotFound,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
)
from larouter.core.ports import Address, Leaving
from larouter.core.turns import Turns
from larouter.providers.connection import Timeouts
from larouter.providers.local import LocalProvider
from tests.fakes import FakeRunner, a_request
from tests.upstream import ANSWER, FIRST, WORD, Upstream, hang, reset, stream, whole

MODEL = Model(id="small", name="small", provider="local", price=FREE)


class Machine:
    def __init__(self, pool, upstream):
        self.runner = FakeRunner(Address(url=upstream.url, key="engine-key"))
        self.leaving = Leaving()
        self.later: list[tuple] = []
        self.provider = LocalProvider(
            self.runner, pool, lambda *call: self.later.append(call), Turns()
        )

    def ask(self, **fields):
        return self.provider.call(MODEL, a_request(**fields), self.leaving)


@pytest.fixture
def machine(shared_pool, upstream):
    return Machine(shared_pool, upstream)


def test_the_engine_is_asked_with_its_own_key(machine, upstream):
    assert machine.ask(max_tokens=5, user="me").end == ANSWER

    assert upstream.last.headers["authorization"] == "Bearer engine-key"
    assert json.loads(upstream.last.body) == {
        "model": "small", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 5,
    }  # fmt: skip
    assert machine.runner.started == ["small"]


def test_the_key_is_in_no_repr(machine):
    assert "engine-key" not in repr(machine.runner.address)
    assert "engine-key" not in repr(machine.provider)


@pytest.mark.parametrize(
    ("here", "state", "why"),
    [
        (False, "absent", "not-downloaded"),
        (True, "stopped", None),
        (True, "loading", None),
        (True, "ready", None),
        (True, "crashed", None),
        (True, "quarantined", "engine-down"),
    ],
)
def test_what_is_missing_is_said(machine, here, state, why):
    machine.runner.here, machine.runner.condition = here, state

    assert machine.provider.missing(MODEL) == why


@pytest.mark.parametrize("error", [EngineDown("no memory"), ModelNotFound("deleted")])
def test_an_engine_that_cannot_be_started_is_the_runners_to_explain(machine, error):
    machine.runner.address = error

    with pytest.raises(type(error)) as caught:
        machine.ask()

    assert caught.value is error


@pytest.mark.parametrize(
    "step", [reset, whole(b"oops"), whole(b"{}", 500), whole(b"{}", 401), stream(FIRST[:5])]
)
@pytest.mark.parametrize("streams", [False, True])
def test_an_engine_that_breaks_is_down(machine, upstream, step, streams):
    upstream.will(step)

    with pytest.raises(EngineDown) as caught:
        machine.ask(stream=streams)

    assert (caught.value.status, caught.value.retry_after_s) == (503, 1)
    assert "try again" in caught.value.message
    assert "engine-key" not in caught.value.message


def test_an_engine_that_is_gone_is_down(machine, upstream):
    upstream.close()

    with pytest.raises(EngineDown):
        machine.ask()


def test_an_engine_that_says_no_says_it_itself(machine, upstream):
    upstream.will(whole(b'{"error": {"message": "bad grammar"}}', 400))

    with pytest.raises(UpstreamRefused, match="bad grammar"):
        machine.ask()


def test_an_engine_that_hangs_is_a_timeout(make_pool, upstream):
    upstream.will(hang)
    machine = Machine(make_pool(timeouts=Timeouts(first_byte=0.2)), upstream)

    with pytest.raises(UpstreamTimeout):
        machine.ask()

    assert machine.runner.failed == ["small"]


def test_only_an_engine_that_does_not_move_is_ended(machine, upstream):
    upstream.will(whole(b"{}", 400), whole(b"{}", 500))

    for _ in range(2):
        with pytest.raises((UpstreamRefused, EngineDown)):
            machine.ask()

    assert machine.runner.failed == []


def test_an_engine_is_told_that_a_stream_ends_the_connection(machine, upstream):
    list(machine.ask(stream=True))
    machine.ask()

    streamed, whole_ = upstream.requests
    assert streamed.headers["connection"] == "close"
    assert "connection" not in whole_.headers


@pytest.mark.parametrize("streams", [False, True])
def test_who_leaves_cancels_at_once(machine, upstream, after, streams):
    upstream.will(hang)
    after(0.1, machine.leaving.fire)

    with pytest.raises(EngineDown):
        machine.ask(stream=streams)

    assert upstream.saw_the_client_leave()
    assert machine.later == []


def test_who_leaves_in_a_stream_cancels_at_once(machine, upstream, after):
    upstream.will(stream(FIRST, WORD, hanging=True))
    reply = machine.ask(stream=True)
    after(0.1, machine.leaving.fire)

    with pytest.raises(UpstreamError):
        list(reply)
    reply.close()

    assert upstream.saw_the_client_leave()


def test_an_engine_that_was_started_again_is_found(machine, upstream):
    again = Upstream()
    try:
        machine.ask()
        machine.runner.address = Address(url=again.url, key="new-key")
        machine.ask()
        machine.ask()
    finally:
        again.close()

    assert len(upstream.requests) == 1
    assert [request.headers["authorization"] for request in again.requests] == 2 * [
        "Bearer new-key"
    ]
