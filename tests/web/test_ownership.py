"""A project sees nothing of another: every route, with two projects that both have rows.

A new route fails here until somebody says whose it is: the admin's in `ADMIN_ROUTES` of
`test_api.py`, everything else in `CASES` below.
"""

import re
from types import SimpleNamespace

import pytest

from larouter.bootstrap import bootstrap
from larouter.config import read_settings
from larouter.web import auth
from tests.clouds.openai import OpenAICloud
from tests.web.conftest import House
from tests.web.test_api import ADMIN_ROUTES

HI = {"messages": [{"role": "user", "content": "Hi"}]}
PARTS = {"parts": [{"text": "Hi"}]}
NOBODY = "prj_0000000000000000"


class Two:
    """A house with the projects `alpha` and `beta`, and what each of them has."""

    def __init__(self, services):
        self.house = House(services)
        self.alpha = self._side("alpha", "openai/gpt-6-luna", calls=2)
        self.beta = self._side("beta", "openai/gpt-4.1", calls=1)

    def ask(self, side, method, path, body=None, **options):
        return self.house.ask(method, path, body, bearer=side.bearer, **options)

    def _side(self, name, model, calls):
        admin = self.house.admin
        made = admin("POST", "/api/projects", {"name": name}).json
        project = f"/api/projects/{name}"
        side = SimpleNamespace(name=name, id=made["id"], bearer=made["bearer"], model=model)
        side.calls = calls
        side.bearer_id = admin("POST", f"{project}/bearers", {"name": f"{name}-ci"}).json["id"]
        aliases = {f"{name}-chat": model, f"{name}-embed": "openai/text-embedding-3-small"}
        admin("PATCH", project, {"aliases": aliases})
        # The first request passes its first mark, so that there is an alert.
        budget = {"project": name, "name": f"{name}-budget", "cap": 50, "metric": "requests"}
        side.budget = admin("POST", "/api/budgets", {**budget, "alerts": [1]}).json["id"]
        for _ in range(calls):
            body = {"model": f"{name}-chat", "input": f"{name}-question"}
            answer = self.ask(side, "POST", "/v1/responses", body)
            assert answer.status_code == 200, answer.text
        side.response = answer.json["id"]
        side.request = answer.headers["x-request-id"]
        items = self.ask(side, "GET", f"/v1/responses/{side.response}/input_items").json
        side.item = items["data"][0]["id"]
        told = self.ask(side, "POST", "/v1/feedback", {"request_id": side.request, "score": "up"})
        assert told.status_code == 200, told.text
        side.words = (name, side.id, side.response, side.request, side.item, side.bearer_id)
        return side


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    with OpenAICloud() as cloud:
        settings = {
            "LAROUTER_HOME": str(tmp_path_factory.mktemp("two")),
            "OPENAI_API_KEY": cloud.key,
            "OPENAI_BASE_URL": f"{cloud.url}/v1",
        }
        services = bootstrap(read_settings(settings))
        yield Two(services)
        services.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """A wrong bearer is slowed; not here."""
    monkeypatch.setattr(auth, "_WRONG_BEARER_DELAY_S", 0)


def has(answer, side):
    return [word for word in side.words if word in answer.text]


def own(body=None):
    """Each is told of its own rows, and of no others."""

    def case(two, method, path):
        for side, other in ((two.alpha, two.beta), (two.beta, two.alpha)):
            answer = two.ask(side, method, path, body)
            assert answer.status_code == 200, answer.text
            assert has(answer, side)
            assert not has(answer, other)

    return case


def counted():
    """Sums of its own requests alone; there is no name in them."""

    def case(two, method, path):
        every = two.house.admin(method, path)
        for side in (two.alpha, two.beta):
            its = two.house.admin(method, f"{path}?projectId={side.id}")
            rows = two.ask(side, method, path).json["data"]
            assert rows == its.json["data"]
            assert 0 < _calls(rows) < _calls(every.json["data"])

    return case


def _calls(rows):
    return sum(row["calls"] for row in rows)


def by_id(field="response", *, body=None, status=404):
    """What is named by its id is there for its owner only."""

    def case(two, method, path):
        def ask(side):
            asked = path.replace("<id>", two.alpha.response)
            wanted = body and body(two.alpha)
            return two.ask(side, method, asked, wanted)

        refused = ask(two.beta)
        assert refused.status_code == status, refused.text
        # What was asked for may be repeated; nothing else of it.
        assert set(has(refused, two.alpha)) <= {getattr(two.alpha, field)}
        if method != "DELETE":
            assert ask(two.alpha).status_code == 200
        kept = two.ask(two.alpha, "GET", f"/v1/responses/{two.alpha.response}")
        assert kept.status_code == 200

    return case


def names_a_model(body, kind="chat"):
    """A project's own name for a model is known to that project only; so is its conversation."""

    def case(two, method, path):
        for side, other in ((two.alpha, two.beta), (two.beta, two.alpha)):
            for owner, status in ((side, 200), (other, 404)):
                alias = f"{owner.name}-{kind}"
                answer = two.ask(side, method, path.replace("<path:model>", alias), body(alias))
                assert answer.status_code == status, (side.name, alias, answer.text)
                assert set(has(answer, other)) <= {other.name}

    return case


def goes_on(body):
    """Nobody goes on from another's response, by its id or by the id of an item in it."""

    def case(two, method, path):
        names_a_model(lambda alias: {"model": alias, "input": "Hi", **body})(two, method, path)
        reference = {"type": "item_reference", "id": two.alpha.item}
        given = {"model": "openai/gpt-4.1", "input": "Hi", **body}
        for wanted in (
            {**given, "previous_response_id": two.alpha.response},
            {**given, "input": [reference, {"role": "user", "content": "Hi"}]},
        ):
            assert two.ask(two.alpha, method, path, wanted).status_code == 200
            refused = two.ask(two.beta, method, path, wanted)
            assert refused.status_code == 400
            assert refused.json["error"]["code"] in {
                "previous_response_not_found", "item_not_found",
            }  # fmt: skip

    return case


def nobodys(body=None, *, status=None):
    """The same for everybody, signed in or not: there is nothing of a project in it."""

    def case(two, method, path):
        path = re.sub(r"<(?:path:)?name>", f"{two.alpha.name}-chat", path)
        path = re.sub(r"<(?:path:)?\w+>", two.alpha.name, path)
        answers = [two.ask(side, method, path, body) for side in (two.alpha, two.beta)]
        assert answers[0].status_code == answers[1].status_code
        assert status in {None, answers[0].status_code}
        for answer in answers:
            # What was asked for may be repeated.
            assert set(has(answer, two.alpha)) <= {two.alpha.name}
            assert not has(answer, two.beta)

    return case


def _gemini(alias):
    return {"contents": [PARTS]}


def _messages(alias):
    return {"model": alias, "max_tokens": 9, **HI}


def _chat(alias):
    return {"model": alias, "stream": False, **HI}


def _embed(alias):
    return {"content": PARTS}


def _embeds(alias):
    return {"requests": [{"model": f"models/{alias}", "content": PARTS}]}


CASES = {
    ("POST", "/v1/chat/completions"): names_a_model(_chat),
    ("POST", "/v1/completions"): names_a_model(lambda alias: {"model": alias, "prompt": "Hi"}),
    ("POST", "/v1/messages"): names_a_model(_messages),
    ("POST", "/v1/messages/count_tokens"): names_a_model(_messages),
    ("POST", "/v1/embeddings"): names_a_model(
        lambda alias: {"model": alias, "input": "Hi"}, "embed"
    ),
    ("POST", "/v1/route"): names_a_model(_chat),
    ("POST", "/api/chat"): names_a_model(_chat),
    ("POST", "/api/generate"): names_a_model(
        lambda alias: {"model": alias, "prompt": "Hi", "stream": False}
    ),
    ("POST", "/api/show"): names_a_model(lambda alias: {"model": alias}),
    ("POST", "/api/embed"): names_a_model(lambda alias: {"model": alias, "input": "Hi"}, "embed"),
    ("POST", "/api/embeddings"): names_a_model(
        lambda alias: {"model": alias, "prompt": "Hi"}, "embed"
    ),
    **{
        ("POST", f"/{version}/models/<path:model>:{verb}"): names_a_model(body, kind)
        for version in ("v1", "v1beta")
        for verb, body, kind in (
            ("generateContent", _gemini, "chat"),
            ("streamGenerateContent", _gemini, "chat"),
            ("countTokens", _gemini, "chat"),
            ("embedContent", _embed, "embed"),
            ("batchEmbedContents", _embeds, "embed"),
        )
    },
    ("POST", "/v1/responses"): goes_on({}),
    ("POST", "/v1/responses/compact"): goes_on({}),
    ("POST", "/v1/responses/input_tokens"): goes_on({}),
    ("GET", "/v1/responses/<id>"): by_id(),
    ("DELETE", "/v1/responses/<id>"): by_id(),
    ("GET", "/v1/responses/<id>/input_items"): by_id(),
    ("POST", "/v1/responses/<id>/cancel"): nobodys(status=400),
    ("GET", "/v1/responses"): nobodys(),
    ("POST", "/v1/feedback"): by_id(
        "request", body=lambda side: {"request_id": side.request, "score": "down"}
    ),
    ("GET", "/api/usage"): own(),
    ("GET", "/api/usage/daily"): counted(),
    ("GET", "/api/usage/models"): counted(),
    ("GET", "/api/usage/export"): own(),
    ("GET", "/api/usage/attempts"): own(),
    ("GET", "/api/usage/baseline"): own(),
    ("GET", "/api/usage/statement"): own(),
    ("POST", "/api/replay"): own({}),
    ("GET", "/api/budget"): own(),
    ("GET", "/api/alerts"): own(),
    ("GET", "/v1/models"): nobodys(status=200),
    ("GET", "/v1/models/<path:name>"): nobodys(status=404),
    ("GET", "/v1beta/models"): nobodys(status=200),
    ("GET", "/v1beta/models/<path:name>"): nobodys(status=404),
    ("GET", "/api/tags"): nobodys(status=200),
    ("GET", "/api/ps"): nobodys(status=200),
    ("GET", "/api/version"): nobodys(status=200),
    **{
        (method, f"/api/{name}"): nobodys({}, status=501)
        for name in ("pull", "push", "create", "copy", "delete", "blobs/<path:digest>")
        for method in ("POST", "DELETE")
    },
    ("GET", "/health"): nobodys(status=200),
    ("GET", "/static/…"): nobodys(),
    # The pages are the admin's, by a session of their own; a bearer opens nothing there.
    ("GET", "/"): nobodys(status=200),
    ("GET", "/events"): nobodys(status=401),
    ("GET", "/models"): nobodys(),
    ("GET", "/models/downloads"): nobodys(status=303),
    ("POST", "/models/downloads"): nobodys(status=303),
    ("GET", "/statements"): nobodys(),
    ("GET", "/statements/<path:project>/<month>"): nobodys(),
    ("GET", "/metrics"): nobodys(status=401),
    ("GET", "/api/usage/calls"): nobodys(status=401),
    ("GET", "/sign-in"): nobodys(status=200),
    ("GET", "/sign-in/<code>"): nobodys(status=200),
    ("POST", "/sign-in"): nobodys(),
    ("POST", "/sign-out"): nobodys(),
    ("POST", "/theme"): nobodys(),
    ("POST", "/alerts/seen"): nobodys(),
}


def _rules(app):
    """Every method and rule that the app answers."""
    return {
        (method, re.sub(r"^/static/.+", "/static/…", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def _admins(app):
    """The rules that the list of the admin's paths is about."""
    adapter = app.url_map.bind("localhost")
    return {
        (method, adapter.match(path, method, return_rule=True)[0].rule)
        for method, path in ADMIN_ROUTES
    }


def test_of_every_route_it_is_said_whose_it_is(two):
    app = two.house.client.application
    declared = {*CASES} | _admins(app)

    assert _rules(app) - declared == set(), "a new route: add it to CASES, or to ADMIN_ROUTES"
    assert declared - _rules(app) == set()
    assert {*CASES} & _admins(app) == set()


@pytest.mark.parametrize(("method", "path"), CASES, ids=lambda part: part)
def test_a_project_sees_nothing_of_another(two, method, path):
    CASES[method, path](two, method, path)


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
@pytest.mark.parametrize("header", ["Authorization", "x-api-key", "x-goog-api-key"])
def test_no_route_of_the_admin_takes_a_project_s_bearer(two, method, path, header):
    prefix = "Bearer " if header == "Authorization" else ""
    headers = {header: prefix + two.beta.bearer}
    asked = path.replace("default", two.alpha.name)

    answer = two.house.ask(method, asked, {}, bearer=False, headers=headers)

    assert answer.status_code == 401
    assert not has(answer, two.alpha)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        *(
            ("GET", f"/api/usage{part}?projectId={{}}", None)
            for part in ("", "/daily", "/models", "/export", "/attempts", "/statement")
        ),
        ("POST", "/api/replay", "project"),
    ],
)
def test_another_project_is_as_if_it_were_not_there(two, method, path, body):
    """Neither its id nor its name says whether there is one."""

    def ask(name):
        asked = path.format(name)
        answer = two.ask(two.beta, method, asked, body and {body: name})
        return answer.status_code, re.sub(r"req_\w+", "", answer.text.replace(name, "…"))

    assert ask(two.alpha.id) == ask(two.alpha.name) == ask(NOBODY)
    assert ask(NOBODY)[0] == 404
    assert ask(two.beta.id)[0] == ask(two.beta.name)[0] == 200


def test_a_key_that_another_project_sent_is_free(two):
    body = {"model": "openai/gpt-4.1", **HI}
    key = {"Idempotency-Key": "order-17"}

    first, second = (
        two.ask(side, "POST", "/v1/chat/completions", body, headers=key)
        for side in (two.alpha, two.beta)
    )

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert "idempotent-replayed" not in second.headers


def test_a_conversation_of_another_project_is_not_gone_on_with(two):
    """The same name and the same words: each project has a conversation of its own."""
    body = {"model": "auto", **HI}
    named = {"x-session-id": "thread-1"}
    for _ in range(2):
        two.ask(two.alpha, "POST", "/v1/chat/completions", body, headers=named)

    answer = two.ask(two.beta, "POST", "/v1/route", body, headers=named)

    assert answer.json["stage"] != "sticky"


def test_a_budget_and_a_policy_of_another_project_bind_nobody_else(two):
    project = f"/api/projects/{two.alpha.name}"
    two.house.admin("PATCH", project, {"policy": {"providers": ["local"]}})
    body = {"model": "openai/gpt-4.1", **HI}

    answers = [
        two.ask(side, "POST", "/v1/chat/completions", body).status_code
        for side in (two.alpha, two.beta)
    ]
    two.house.admin("PATCH", project, {"policy": {"providers": None}})

    assert answers == [403, 200]
