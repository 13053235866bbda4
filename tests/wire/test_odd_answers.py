"""Odd answers of providers: an `UpstreamError`, or an answer that makes sense; nothing else."""

import json
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from larouter.core.errors import UpstreamError
from larouter.core.turns import Turns
from larouter.wire import sse
from larouter.wire.dialects import DIALECTS, WIRES
from larouter.wire.road import Translation
from tests.odd import some
from tests.odd_answers import STREAMS, WHOLE, as_stream
from tests.wire.test_odd_requests import READERS

ODD: tuple[Any, ...] = (None, -1, "x", [], {}, [None], {"type": []})
ROADS = pytest.mark.parametrize(
    ("wire", "dialect"), [(wire, dialect) for wire in WHOLE for dialect in READERS]
)


def _road(wire, dialect, **fields):
    read, body = READERS[dialect]
    request = read(json.dumps({"model": "m", **body, **fields}).encode())
    spoken = DIALECTS[request.dialect]
    if spoken.name == wire:
        return WIRES[wire].relay(request)
    return Translation(WIRES[wire].reader(), spoken.writer(request), spoken.returned)


@ROADS
def test_the_answers_that_they_are_made_of_are_good(wire, dialect):
    whole, streamed = _road(wire, dialect), _road(wire, dialect)

    assert json.loads(whole.whole(_bytes(WHOLE[wire]), prompt_tokens=3))
    assert _stream(streamed, as_stream(wire, STREAMS[wire]))
    assert whole.usage == streamed.usage
    assert whole.usage is not None


@ROADS
def test_an_odd_answer_is_read_or_an_error(wire, dialect):
    for path, one, changed in some(WHOLE[wire], 4, ODD):
        road = _road(wire, dialect)
        with _told(path, one):
            with suppress(UpstreamError):
                assert json.loads(road.whole(_bytes(changed), prompt_tokens=3))
            _settle(road)


@ROADS
def test_an_odd_event_is_read_or_an_error(wire, dialect):
    for path, one, changed in some(STREAMS[wire], 2, ODD):
        road = _road(wire, dialect)
        with _told(path, one):
            error = _failure(road, as_stream(wire, changed))
            assert error is None or b"error" in road.broken(error)
            _settle(road)


@ROADS
def test_a_stream_that_ends_early_is_an_error(wire, dialect):
    events = STREAMS[wire]

    for count in range(1, len(events) - 1):
        road = _road(wire, dialect)
        with pytest.raises(UpstreamError) as cut:
            _stream(road, b"".join(sse.write(_bytes(event)) for event in events[:count]))
        last = road.broken(cut.value)
        assert b"[DONE]" not in last
        assert b"error" in last
        _settle(road)


@contextmanager
def _told(path, one):
    """Say which it was."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"{path} as {one!r}") from error


def _bytes(value):
    return json.dumps(value).encode()


def _stream(road, data):
    """As `HttpReply` drives a road."""
    out = road.feed(data)
    if not road.started:
        raise UpstreamError("no events")
    return out + road.finish(prompt_tokens=3)


def _failure(road, data):
    try:
        _stream(road, data)
    except UpstreamError as error:
        return error
    return None


def _settle(road):
    """What is asked of a road when its answer is over, well or not."""
    assert road.delivered() >= 0
    assert road.usage is None or road.usage.output >= 0
    assert road.provider_id is None or type(road.provider_id) is str
    assert all(type(call_id) is str for call_id in road.call_ids)
    Turns().remember("p", "m", road.call_ids, road.parts())


@ROADS
def test_an_event_that_is_cut_never_passes(wire, dialect):
    """Each in a piece of its own: a relay does not read every event."""
    events = [sse.write(_bytes(event)) for event in STREAMS[wire]]

    for place in range(1, len(events)):
        road = _road(wire, dialect)
        for event in events[:place]:
            road.feed(event)
        with pytest.raises(UpstreamError):
            road.feed(events[place][: len(events[place]) // 2] + b"\n\n")
