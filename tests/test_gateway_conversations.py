"""The gateway tells the memory of conversations who has begun to answer."""

from __future__ import annotations

import pytest
from msgspec import json

from larouter.core.errors import EngineDown, UpstreamRefused
from larouter.wire.chat.request import read_request
from tests.fakes import House, with_fields

FIRST = {"role": "user", "content": "Write a compiler"}


def _asked(*turns):
    messages = [FIRST]
    for turn in turns:
        messages += [{"role": "assistant", "content": "Here."}, {"role": "user", "content": turn}]
    request = read_request(json.encode({"model": "auto", "messages": messages}))
    return with_fields(request, project="p")


@pytest.fixture
def house():
    return House()


def _seen(house):
    return house.gateway.conversations.find(_asked("and a linker"))


def test_who_answers_is_remembered_once_the_answer_begins(house):
    house.cloud.will(house.reply(b"Hi"))

    answer = house.ask(_asked())

    assert (_seen(house).model, _seen(house).tier) == ("cloud/smart", "COMPLEX")
    answer.close()


def test_who_failed_is_not(house):
    house.cloud.will(EngineDown("down"))
    house.other.will(house.reply(b"Hi"))

    house.ask(_asked()).close()

    assert _seen(house).model == "other/other"


def test_nobody_is_where_all_failed(house):
    for provider in (house.cloud, house.other, house.local):
        provider.will(UpstreamRefused("no", status=403))

    with pytest.raises(UpstreamRefused):
        house.ask(_asked())

    assert _seen(house) is None
