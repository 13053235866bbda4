"""The app as a whole: health, and the addresses of everything."""


def test_health_needs_no_bearer(house):
    answer = house.ask("GET", "/health", bearer=False)

    assert answer.status_code == 200
    assert answer.json["status"] == "ok"
    assert 0 <= answer.json["uptime"] < 60


def test_nothing_else_is_there(house):
    answer = house.ask("GET", "/v1/nothing")

    assert (answer.status_code, answer.json["error"]["code"]) == (404, "not_found")


def test_every_route_is_on_the_list(house):
    rules = {rule.rule for rule in house.client.application.url_map.iter_rules()}

    assert {
        "/v1/chat/completions", "/v1/models", "/v1/models/<path:name>", "/v1/route", "/health",
        "/api/usage", "/api/projects", "/", "/events", "/sign-in",
    } <= rules  # fmt: skip


def test_no_api_route_sets_a_cookie(house):
    for path in ("/health", "/v1/models", "/api/usage", "/v1/nothing"):
        assert "Set-Cookie" not in house.ask("GET", path).headers
