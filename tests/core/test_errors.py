import re

import pytest

from larouter.core import errors
from larouter.core.errors import (
    ContextExceeded,
    DatabaseDamaged,
    LARouterError,
    StorageDown,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
)

ALL = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, LARouterError)
]


@pytest.mark.parametrize("error", ALL)
def test_an_error_has_a_status_and_stable_words(error):
    raised = error("Do this.")

    assert 400 <= raised.status <= 599
    assert re.fullmatch("[a-z_]+", raised.code)
    # OpenAI names this one type without the word.
    assert re.fullmatch("[a-z_]+_error|insufficient_quota", raised.type)
    assert (raised.message, str(raised)) == ("Do this.", "Do this.")


@pytest.mark.parametrize("error", ALL)
def test_the_picture_of_the_tree_shows_each_error(error):
    assert re.search(rf"\b{error.__name__}\b", errors.__doc__)


def test_the_picture_shows_each_status_as_it_is():
    shown = re.findall(r"\b([A-Z]\w+) (\d{3})\b", errors.__doc__)

    assert len(shown) > 15
    assert [name for name, status in shown if getattr(errors, name).status != int(status)] == []


@pytest.mark.parametrize("error", [error for error in ALL if error.status < 500])
def test_the_caller_s_fault_is_never_called_ours(error):
    assert error.type != "api_error"


def test_no_two_errors_share_a_code_unless_one_is_the_other():
    shared = [
        (one.__name__, other.__name__)
        for one in ALL
        for other in ALL
        if one.code == other.code and not issubclass(one, other) and not issubclass(other, one)
    ]

    assert shared == []


@pytest.mark.parametrize("error", ALL)
def test_an_error_says_more_where_more_is_known(error):
    raised = error("Wait.", code="slow_down", param="model", retry_after_s=7)

    assert (raised.code, raised.param, raised.retry_after_s) == ("slow_down", "model", 7)


def test_a_damaged_database_says_what_to_do_wherever_it_is_found():
    assert "larouter db restore" in DatabaseDamaged().message
    assert str(DatabaseDamaged()) == DatabaseDamaged().message


def test_a_code_of_one_error_is_not_that_of_the_next():
    StorageDown("x", code="other")

    assert StorageDown("x").code == "storage_unavailable"


def test_a_long_prompt_is_the_caller_s_fault():
    assert (ContextExceeded().status, ContextExceeded().type) == (400, "invalid_request_error")


def test_an_upstream_may_have_done_the_work_unless_said_otherwise():
    assert UpstreamError().sent
    assert not UpstreamError(sent=False).sent


def test_a_refusal_carries_the_provider_s_own_words():
    raised = UpstreamRefused("No.", status=422, type="invalid_request_error", code="bad_tool")

    assert (raised.status, raised.type, raised.code) == (422, "invalid_request_error", "bad_tool")


@pytest.mark.parametrize(("error", "status"), [(UpstreamError, 502), (UpstreamTimeout, 504)])
def test_a_provider_s_failure_is_a_gateway_s_status(error, status):
    assert error("It broke.").status == status
