"""The list of formats is complete, and every row keeps its side of the interface."""

import inspect

import pytest

from larouter.wire.dialects import DIALECTS, WIRES
from larouter.wire.road import Reader, Road, Writer
from tests.fakes import a_request


def test_what_clients_speak():
    assert list(DIALECTS) == ["chat", "responses", "completions", "anthropic", "gemini", "ollama"]


def test_what_providers_speak():
    assert list(WIRES) == ["chat", "responses", "completions", "anthropic", "gemini"]


def _keeps(thing, protocol):
    """Has it every attribute and method, called the same way?"""
    names = {*protocol.__annotations__, *(name for name in vars(protocol) if name[0] != "_")}
    for name in names:
        wanted = vars(protocol).get(name)
        assert hasattr(thing, name), name
        if inspect.isfunction(wanted):
            parameters = [
                p.name for p in inspect.signature(getattr(thing, name)).parameters.values()
            ]
            assert parameters == list(inspect.signature(wanted).parameters)[1:], name


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_a_wire_has_a_reader_and_a_relay(wire):
    _keeps(wire.reader(), Reader)
    _keeps(wire.relay(a_request(stream=True)), Road)


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_a_dialect_has_a_writer(dialect):
    _keeps(dialect.writer(a_request(stream=True)), Writer)


@pytest.mark.parametrize("row", [*DIALECTS.values(), *WIRES.values()], ids=lambda row: row.name)
def test_a_loss_is_named_once(row):
    fields = [loss.field for loss in row.losses]

    assert len(set(fields)) == len(fields)
