"""What the name in a request means."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from larouter.core.catalog import FREE, Model, Price
from larouter.core.errors import BadRequest, ModelNotFound
from larouter.routing import explicit_model
from tests.fakes import a_request, with_fields
from tests.routing.house import HOUSE, first, routed


@pytest.mark.parametrize("name", ["gpt-99", "openai", "openai/", "/x", "nobody/x", "local/x"])
def test_a_stranger_is_not_found(name):
    with pytest.raises(ModelNotFound) as caught:
        routed(a_request(model=name))

    assert (caught.value.status, caught.value.code) == (404, "model_not_found")
    assert name in caught.value.message


@pytest.mark.parametrize(
    ("setting", "project", "is_routed"),
    [
        ("auto", None, True),
        ("auto", "auto", True),
        ("auto", "reject", False),
        ("reject", None, False),
        ("reject", "auto", True),
        ("reject", "reject", False),
    ],
)
def test_what_becomes_of_a_stranger_the_project_says_before_the_setting(
    setting, project, is_routed
):
    request = with_fields(a_request(model="gpt-99"), unknown_model=project)
    expected = nullcontext() if is_routed else pytest.raises(ModelNotFound)

    with expected:
        assert first(routed(request, unknown_model=setting)) == ("small", None)


def test_a_model_outside_the_catalogue_has_its_providers_price():
    prices = {"mine": FREE, "openai": Price()}

    assert explicit_model("mine/x", HOUSE, prices) == Model(
        id="mine/x", name="x", provider="mine", title="x", price=FREE
    )
    assert explicit_model("openai/x", HOUSE, prices) == Model(
        id="openai/x", name="x", provider="openai", title="x", price=Price()
    )
    assert explicit_model("auto", HOUSE, prices) is None


def test_a_tier_that_is_not_there_is_refused():
    with pytest.raises(BadRequest, match="one of HEARTBEAT, SIMPLE, MODERATE") as caught:
        routed(a_request(tier="huge"))

    assert caught.value.code == "invalid_tier"
