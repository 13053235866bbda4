"""`larouter feedback` and `larouter projects learning` on a request that was written down."""

import pytest

from larouter.bootstrap import bootstrap
from larouter.config import read_settings
from larouter.core.account import Outcome, RequestRecord
from larouter.core.chat import Usage
from larouter.core.errors import LARouterError
from larouter.core.route import Choice, Numbers
from larouter.store.writer import now_ms
from tests.fakes import NO_BOUND


@pytest.fixture
def answered(tmp_path):
    services = bootstrap(read_settings({"LAROUTER_HOME": str(tmp_path)}))
    try:
        services.projects.ensure_default()
        record = RequestRecord(
            id="req_1", project=services.projects.get("default"), asked="auto", tier="SIMPLE",
            stage="learned", score=0.2, reason="said", stream=False, rid=None,
            started_ms=now_ms(), numbers=Numbers(probabilities=(0.4, 0.6), need_strong=0.3),
        )  # fmt: skip
        ledger = services.gateway.ledger
        attempt = ledger.reserve(
            record, Choice(model=services.catalog.models["smollm2-135m"]), NO_BOUND
        )
        ledger.settle(attempt, Outcome(state="settled", usage=Usage(input=9, output=5)))
    finally:
        services.close()
    return "req_1"


def test_a_thumb_is_noted_and_says_what_it_did(alone, answered):
    assert alone.lines("feedback", answered, "down") == ["Noted. The project's bias is +0.11 now."]
    assert alone.lines("feedback", answered, "up") == ["Noted. The project's bias is -0.02 now."]


def test_what_a_project_taught_is_a_sentence(alone, answered):
    alone.run("feedback", answered, "down")

    assert alone.lines("projects", "learning", "default") == [
        "1 thumb, bias +0.11: strong models are asked a little sooner."
    ]


def test_a_reset_forgets_it(alone, answered):
    alone.run("feedback", answered, "down")

    assert alone.lines("projects", "learning", "default", "--reset") == [
        "Feedback forgotten: 1. The shipped model decides for default."
    ]
    assert alone.lines("projects", "learning", "default") == [
        "Nothing was learnt yet: the shipped model decides."
    ]


def test_a_request_that_is_not_there_is_a_sentence(cli):
    with pytest.raises(LARouterError, match="x-request-id"):
        cli.run("feedback", "req_none", "up")


def test_a_project_that_is_not_there_is_a_sentence(alone):
    with pytest.raises(LARouterError, match="no project"):
        alone.run("projects", "learning", "nobody")
