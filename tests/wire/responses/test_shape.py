import json

import pytest

from larouter.core.errors import BadRequest, ContextExceeded, LARouterError
from larouter.core.events import Finished
from larouter.wire.responses.shape import blank, broken, ended, numbered, write_error
from tests.wire.responses.answers import asked, response


def test_a_blank_response_is_complete():
    body = json.dumps(blank(asked(), "resp_1", 7)).encode()

    assert response(body)["status"] == "in_progress"


def test_without_usage_there_is_none():
    assert ended(blank(asked(), "resp_1", 7), [], Finished("stop"))["usage"] is None


def test_an_event_is_numbered():
    assert numbered("a.b", {"c": 1}, 7) == (
        b'event: a.b\ndata: {"type":"a.b","sequence_number":7,"c":1}\n\n'
    )


def test_codex_knows_a_context_that_is_too_long():
    stream = broken(blank(asked(), "resp_1", 7), ContextExceeded("Too long."), 0)

    assert b'"code":"context_length_exceeded","message":"Too long."' in stream


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (BadRequest("No.", param="input"), "No."),
        (LARouterError(), "Something went wrong inside LARouter."),
    ],
)
def test_an_error_has_openais_shape(error, message):
    assert json.loads(write_error(error)) == {
        "error": {
            "message": message,
            "type": error.type,
            "param": error.param,
            "code": error.code,
        }
    }
