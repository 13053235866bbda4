"""A legacy completion for a model that talks."""

import json

import pytest

from larouter.core.conversation import Conversation, Text, Turn
from larouter.core.errors import CannotCarry
from larouter.wire.chat import WIRE
from larouter.wire.completions import DIALECT
from larouter.wire.completions.request import read_request
from larouter.wire.losses import refuse_what_is_lost
from larouter.wire.road import Call


def _conversation(**fields):
    body = {"model": "auto", "prompt": "Once", **fields}
    return DIALECT.conversation(read_request(json.dumps(body).encode()))


def test_a_prompt_is_what_the_user_says():
    assert _conversation() == Conversation(turns=(Turn("user", (Text(text="Once"),)),))
    assert _conversation(prompt=["Once"]) == _conversation()


def test_fields_are_read():
    read = _conversation(
        max_tokens=9, temperature=0.5, top_p=0.9, stop=["a"], seed=7, presence_penalty=1,
        frequency_penalty=2, user="me", stream=True,
    )  # fmt: skip

    assert read.max_output == 9
    assert (read.temperature, read.top_p, read.stop, read.seed) == (0.5, 0.9, ("a",), 7)
    assert (read.presence_penalty, read.frequency_penalty, read.user) == (1, 2, "me")
    assert read.extra == {}


def test_no_tokens_is_the_least_that_other_formats_can_be_asked_for():
    assert _conversation(max_tokens=0).max_output == 1
    assert _conversation().max_output is None


@pytest.mark.parametrize("prompt", [["a", "b"], [1, 2], [[1], [2]]])
def test_more_than_a_text_is_for_providers_that_have_it(prompt):
    with pytest.raises(CannotCarry) as caught:
        _conversation(prompt=prompt)

    assert caught.value.param == "prompt"


@pytest.mark.parametrize(
    ("field", "value"),
    [("suffix", "end"), ("echo", True), ("logprobs", 0), ("n", 2), ("best_of", 3)],
)
def test_what_cannot_be_carried_is_refused(field, value):
    with pytest.raises(CannotCarry) as caught:
        refuse_what_is_lost(_conversation(**{field: value}), DIALECT, WIRE)

    assert caught.value.param == field


@pytest.mark.parametrize("loss", [row for row in DIALECT.losses if row.becomes == "refused"])
def test_what_asks_for_nothing_passes(loss):
    for value in (None, *loss.harmless):
        refuse_what_is_lost(_conversation(**{loss.field: value}), DIALECT, WIRE)


@pytest.mark.parametrize("loss", [row for row in DIALECT.losses if row.becomes == "left out"])
def test_what_is_left_out_changes_nothing(loss):
    read = _conversation(**{loss.field: {"1": 1}})

    refuse_what_is_lost(read, DIALECT, WIRE)

    assert WIRE.write(read, Call(name="m")) == WIRE.write(_conversation(), Call(name="m"))
