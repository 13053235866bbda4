"""Feedback over HTTP: whose it may be, what it changes, and what the admin sees of it."""

import gevent
import pytest

from larouter.core.account import Outcome, RequestRecord
from larouter.core.chat import ChatRequest, Message, Usage
from larouter.core.route import Choice, Numbers
from larouter.store.writer import now_ms
from larouter.web.calls import _learn_repetition
from tests.fakes import NO_BOUND

JUDGED = Numbers(probabilities=(0.4, 0.3, 0.2, 0.05, 0.05), need_strong=0.3, tier="SIMPLE")


@pytest.fixture
def answered(house):
    """Write down a request that a local model has answered, without asking one."""

    def answered(id="req_1", project=None, **facts):
        services = house.services
        project = project or services.projects.get("default")
        record = RequestRecord(
            id=id, project=project, asked="auto", tier="SIMPLE", stage="learned", score=0.2,
            reason="said", stream=False, rid=None, started_ms=now_ms(), numbers=JUDGED,
        )  # fmt: skip
        model = services.catalog.models["smollm2-135m"]
        attempt = services.gateway.ledger.reserve(record, Choice(model=model), NO_BOUND)
        services.gateway.ledger.settle(
            attempt, Outcome(**{"state": "settled", "usage": Usage(input=9, output=5), **facts})
        )
        return id

    return answered


def _thumb(house, id, score, **fields):
    return house.ask("POST", "/v1/feedback", {"request_id": id, "score": score, **fields})


def _learning(house, method="GET"):
    return house.admin(method, "/api/projects/default/learning")


@pytest.mark.parametrize(("score", "number"), [("down", -1.0), ("up", 1.0), (-0.5, -0.5), (0, 0)])
def test_a_thumb_is_a_word_or_a_number(house, answered, score, number):
    answer = _thumb(house, answered(), score)

    assert answer.status_code == 200
    assert answer.json["score"] == number
    assert answer.json["kind"] == "thumb"
    assert (answer.json["bias"] > 0) is (number < 0)


def test_a_project_s_next_request_feels_it(house, answered):
    bias = _thumb(house, answered(), "down").json["bias"]

    assert house.services.projects.get("default").bias == bias > 0


def test_saying_it_twice_changes_it(house, answered):
    request = answered()
    for score in ("down", "down", "up"):
        _thumb(house, request, score)

    assert _learning(house).json["feedback"] == {"thumb": 1}
    assert _learning(house).json["bias"] < 0


def test_a_chat_program_may_say_that_somebody_asked_again(house, answered):
    assert _thumb(house, answered(), "down", kind="regeneration").json["kind"] == "regeneration"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"request_id": 1, "score": 1}, {"request_id": "req_1"},
        {"request_id": "req_1", "score": "great"}, {"request_id": "req_1", "score": 2},
        {"request_id": "req_1", "score": True}, {"request_id": "req_1", "score": None},
        {"request_id": "req_1", "score": 1, "kind": "like"},
        {"request_id": "req_1", "score": 1, "kind": 1},
    ],
)  # fmt: skip
def test_what_is_no_feedback_is_refused(house, answered, body):
    answered()

    assert house.ask("POST", "/v1/feedback", body).status_code == 400
    assert _learning(house).json["feedback"] == {}


def test_nobody_without_a_bearer_may(house, answered):
    body = {"request_id": answered(), "score": 1}

    assert house.ask("POST", "/v1/feedback", body, bearer=False).status_code == 401


@pytest.mark.parametrize(
    ("headers", "shape"),
    [({}, ["error"]), ({"anthropic-version": "2023-06-01"}, ["error", "type"])],
)
def test_another_s_request_is_not_found_in_the_caller_s_shape(house, answered, headers, shape):
    other = house.admin("POST", "/api/projects", {"name": "other"}).json["bearer"]
    body = {"request_id": answered(), "score": 1}

    answer = house.ask("POST", "/v1/feedback", body, bearer=other, headers=headers)

    assert answer.status_code == 404
    assert set(shape) <= set(answer.json)
    assert "x-request-id" in answer.text


def test_what_was_learnt_is_a_sentence(house, answered):
    for number in range(3):
        _thumb(house, answered(f"req_{number}"), "down")

    shown = _learning(house).json

    assert shown["project"] == "default"
    assert (shown["feedback"], shown["counted"]) == ({"thumb": 3}, 3)
    assert shown["text"] == (
        f"3 thumbs, bias {shown['bias']:+.2f}: strong models are asked a little sooner."
    )


def test_a_reset_takes_it_all_back_at_once(house, answered):
    _thumb(house, answered(), "down")

    reset = _learning(house, "DELETE").json

    assert (reset["forgotten"], reset["bias"], reset["feedback"]) == (1, 0.0, {})
    assert house.services.projects.get("default").bias == 0
    assert _learning(house).json["text"].startswith("Nothing was learnt yet")


def test_a_project_that_is_not_there_has_learnt_nothing(house):
    assert house.admin("GET", "/api/projects/none/learning").status_code == 404


# --- noticed without being told


def _noticed(house):
    gevent.sleep(0.05)  # what is learnt is learnt beside the request
    return _learning(house).json["feedback"]


@pytest.mark.engine
@pytest.mark.slow
def test_asking_the_same_again_is_noticed(house):
    body = {"messages": [{"role": "user", "content": "Name a colour of the rainbow, please."}],
            "max_tokens": 4, "model": "auto"}  # fmt: skip
    for _ in range(4):
        answer = house.ask("POST", "/v1/chat/completions", body)
        assert answer.headers["x-larouter-model"].startswith("local/")

    assert _noticed(house) == {"regeneration": 1}


def test_a_repetition_that_nobody_can_write_down_disturbs_nobody(house, answered):
    _learn_repetition(house.services, "prj_none", answered())

    assert _noticed(house) == {}


def test_only_hashes_are_held(house):
    asked = ChatRequest(model="auto", messages=(Message("user", "my secret"),), body={}, size=1)

    house.services.regenerations.note(asked, "req_1", was_local=True)

    assert "secret" not in repr(house.services.regenerations._seen)
