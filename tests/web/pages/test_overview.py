"""The first page: its states, its live parts and what it never shows."""

import dataclasses
import re
from pathlib import Path

import pytest

from larouter.config import Settings
from larouter.core.report import Today
from larouter.web.pages import overview
from tests.web.pages.fakes import ADMIN_KEY, FakeServices, a_line, an_alert, an_app, starter_only


@pytest.fixture
def services():
    return FakeServices()


@pytest.fixture
def client(services):
    client = an_app(services).test_client()
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})
    return client


def text_of(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def events_of(answer):
    blocks = answer.get_data(as_text=True).split("\n\n")
    return [
        (block.split("\n")[0].removeprefix("event: "), "\n".join(block.split("\n")[1:]))
        for block in blocks
        if block.startswith("event: ")
    ]


def test_it_says_how_to_connect(client):
    page = client.get("/").text

    assert 'id="connect-url">http://127.0.0.1:18790/v1<' in page
    assert "curl http://127.0.0.1:18790/v1/chat/completions" in page
    assert "larouter projects create NAME" in page
    assert "from openai import OpenAI" in page
    assert "OPENAI_BASE_URL=http://127.0.0.1:18790/v1" in page


def test_what_somebody_has_to_do_something_about_goes_first(client, services):
    services.alarm.said = "The database cannot be written"

    page = client.get("/").text

    assert 'data-mood="bad">The database cannot be written<' in page


def test_without_keys_the_curl_line_has_none():
    services = FakeServices(settings=Settings(home=Path("nowhere"), keyless=True))
    client = an_app(services).test_client()
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})
    page = client.get("/").text

    assert "Authorization: Bearer" not in page
    assert "need no bearer" in page


def test_the_admin_key_is_never_shown(client):
    assert ADMIN_KEY not in client.get("/").text


def test_empty_it_says_what_to_do(client):
    page = text_of(client.get("/").text)

    assert "No requests yet Run the line under “Connect a program”" in page
    assert "Requests today 0 None yet: send the first one below" in page
    assert "Answered on this machine – Shown with the first answer" in page
    assert "Spent today $0.00 Local answers are free" in page
    assert "Typical time – Shown with the first answer" in page


def test_an_alert_that_somebody_else_has_seen_leaves_the_page(client, services):
    """An event without a data line would not be told to the page, and the banner would stay."""
    services.reports.alerted = [an_alert()]
    services.feed.script = [a_line("new")]

    first = client.get("/events").get_data(as_text=True)
    services.reports.alerted = []
    then = client.get("/events").get_data(as_text=True)

    assert "event: alerted\ndata: Alert: bakery" in first
    assert "event: alerts\ndata: \n\n" in then
    assert "event: alerted\ndata: \n\n" in then


def test_what_is_stored_is_said(client, services):
    assert "is not stored, only these figures." in text_of(client.get("/").text)

    services.responses.kept = 2

    assert "but for 2 responses that programs wanted kept for 30 days." in text_of(
        client.get("/").text
    )

    services.results.kept = 1

    assert "for 30 days and 1 answer in memory for ten minutes, for programs that ask again." in (
        text_of(client.get("/").text)
    )


def test_figures_of_the_day(client, services):
    services.reports.figures = Today(
        requests=1234,
        succeeded=1200,
        local=900,
        cost_nusd=9_100_000,
        prompt_tokens=5000,
        output_tokens=70,
        median_ms=1730,
    )
    page = text_of(client.get("/").text)

    assert "Requests today 1,234 1,200 answered, 34 not" in page
    assert "Answered on this machine 75% 900 of 1,200 answers" in page
    assert "Spent today $0.0091 5,000 tokens read, 70 written" in page
    assert "Typical time 1.73 s" in page


def test_spending_says_what_it_cannot_know(client, services):
    services.reports.figures = Today(requests=3, succeeded=3, unpriced=2)

    assert "Spent today $0.00 and 2 at an unknown price" in text_of(client.get("/").text)


def test_a_row_says_who_answered_and_why(client, services):
    services.reports.lines = [a_line(degraded="not-downloaded", project="notes")]
    row = text_of(client.get("/").text.split("<tbody")[1])

    assert "notes asked for auto" in row
    assert "SmolLM2" in row
    assert "Simple" in row
    assert "a short question by rule · a stand-in" in row
    assert "12 → 34 412 ms free" in row


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"is_local": False, "cost_nusd": 9_100_000}, "$0.0091"),
        ({"is_local": False, "cost_nusd": None}, "unknown price"),
        ({"is_local": True, "cost_nusd": 0}, "free"),
        ({"is_local": False, "cost_nusd": 0}, "$0.00"),
        ({"state": "open", "duration_ms": None}, "running –"),
        (
            {"state": "failed", "status": 504, "error": "upstream_timeout"},
            "Failed 504 the provider took too l",
        ),
        (
            {"state": "failed", "status": 499, "error": "client_left"},
            "Stopped 499 the program that asked did not wait",
        ),
        ({"state": "failed", "status": 502}, "Failed 502 no reason given a short question"),
        (
            {"state": "refused", "status": 404, "model": None, "error": "model_not_found"},
            "Refused 404 no model has that name",
        ),
        ({"model": None, "state": "refused", "prompt_tokens": 0, "output_tokens": 0}, "– 412 ms –"),
        (
            {"model": "openai/strange-one", "tier": "-", "stage": "explicit"},
            "openai/strange-one a sh",
        ),
    ],
)
def test_a_row_in_every_state(client, services, changes, expected):
    services.reports.lines = [a_line(**changes)]

    assert expected in text_of(client.get("/").text)


def test_stored_text_is_shown_never_obeyed(client, services):
    services.reports.lines = [
        a_line(
            project="<script>alert(1)</script>",
            asked='"><img src=x onerror=alert(1)>',
            reason='<b hx-get="/x">bold</b>\x1b[2J\u202e',
            model="a/<i>",
            tier="<u>",
        )
    ]
    page = client.get("/").text

    for tag in ("<script>alert", "<img src=x", "<b hx-get", "<i>", "<u>", "\x1b", "\u202e"):
        assert tag not in page
    assert "hx-disable" in page.split('class="request"')[1].split(">")[0]


def test_tiers_say_who_stands_in_for_whom(client):
    page = text_of(client.get("/").text)

    assert "Starter model only: no cloud key, nothing downloaded" in page
    assert re.search(
        r"Frontier Code, architecture SmolLM2 .* in place of Claude .*: no Anthropic", page
    )
    assert re.search(r"in place of Gemma 4 E2B: not downloaded", page)


def steps_of(*changes):
    lines = [
        dataclasses.replace(line, **change)
        for line, change in zip(starter_only(), changes, strict=False)
    ]
    return [overview.Step(rank=n, line=line, meant=None) for n, line in enumerate(lines)]


@pytest.mark.parametrize(
    ("steps", "mood", "words"),
    [
        ([], "bad", "No model can answer yet"),
        (steps_of({"model_key": ""}), "bad", "No model can answer yet"),
        (steps_of({"degraded": None}), "ok", "Every tier has its own model"),
        (
            steps_of({"degraded": None, "model_key": "local/x"}, {}),
            "calm",
            "1 of 2 tiers are answered by a stand-in",
        ),
        (steps_of({"model_key": "local/x"}, {}), "calm", "Every tier is answered by a stand-in"),
        (
            steps_of({"degraded": "offline"}, {}),
            "calm",
            "SmolLM2 135M (starter) answers everything for now",
        ),
    ],
)
def test_the_status_is_one_sentence(steps, mood, words):
    assert overview.status_of(steps) == overview.Status(mood=mood, words=words)


def test_a_tier_without_its_reason_or_catalogue_is_shown_too(client, services):
    services.serving = [
        dataclasses.replace(services.serving[0], name="MINE", degraded="offline"),
        dataclasses.replace(services.serving[1], model_key="", degraded=None),
    ]
    page = text_of(client.get("/").text)

    assert "Mine" in page
    assert "a stand-in: no network" in page
    assert "No model" in page


def test_a_new_request_comes_as_a_row_then_the_figures(client, services):
    services.feed.script = [a_line("new")]
    events = events_of(client.get("/events"))

    assert [name for name, _ in events] == [
        "requests",
        "status",
        "figures",
        "tiers",
        "uptime",
        "trouble",
        "alerts",
        "alerted",
        "request",
    ]
    assert all(line.startswith("data: ") for line in events[-1][1].split("\n"))
    assert 'id="request-new" class="request new"' in events[-1][1]


def test_rows_that_the_browser_has_are_not_sent_again(client, services):
    services.reports.lines = [a_line()]
    url = re.search(r'sse-connect="([^"]+)"', client.get("/").text)
    assert url is not None
    services.feed.script = []

    assert "requests" not in [name for name, _ in events_of(client.get(url[1]))]
    services.reports.lines.insert(0, a_line("missed"))
    assert "request-missed" in dict(events_of(client.get(url[1])))["requests"]


def test_a_request_between_page_and_stream_is_not_lost(client, services):
    services.feed.script = []
    services.feed.on_subscribe = lambda: services.reports.lines.append(a_line("between"))

    assert "request-between" in dict(events_of(client.get("/events")))["requests"]


def seconds_pass(services, app, script, step_s):
    """The stream of a clock that moves on by `step_s` with each line."""
    moments = iter(n * step_s for n in range(1000))
    services.feed.script = script
    page = overview.Overview(services, clock_s=lambda: next(moments))
    return page.events


def stream_of(services, script, step_s):
    app = an_app(services)
    app.add_url_rule("/stream", view_func=seconds_pass(services, app, script, step_s))
    client = app.test_client()
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})
    return client.get("/stream").get_data(as_text=True)


def test_figures_follow_a_request_within_a_second(services):
    def happens():
        services.reports.figures = Today(requests=1, succeeded=1, local=1, median_ms=5)
        yield a_line("new")

    text = stream_of(services, happens(), step_s=1)

    assert text.index("request-new") < text.rindex("event: figures")
    assert text.count("event: tiers") == 1


def test_silence_gets_a_heartbeat(services):
    text = stream_of(services, [None] * 31, step_s=1)

    assert text.count(": still here") == 2


def test_a_stream_ends_after_an_hour(services):
    text = stream_of(services, [a_line(str(n)) for n in range(500)], step_s=60)

    assert 50 < text.count("event: request\n") < 62


def test_a_stream_ends_with_the_session(services):
    app = an_app(services)
    client = app.test_client()
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})
    with client.session_transaction() as inside:
        token = inside["csrf"]

    def happens():
        yield a_line("before")
        client.post("/sign-out", data={"csrf": token})
        yield a_line("after")

    services.feed.script = happens()
    text = client.get("/events").get_data(as_text=True)
    assert "request-before" in text
    assert "request-after" not in text
    assert services.feed.queues == []


def test_someone_outside_hears_nothing():
    services = FakeServices()
    services.feed.script = [a_line()]
    client = an_app(services).test_client()

    answer = client.get("/events")
    assert answer.status_code == 401
    assert "request" not in answer.text


def test_htmx_outside_is_sent_to_the_form():
    client = an_app(FakeServices()).test_client()

    assert client.get("/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/sign-in"
