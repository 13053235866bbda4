"""What clients do wrong to a real server, who they are, and that it goes on."""

import json
import socket
import time
from contextlib import suppress

import pytest
import requests

from tests.serving import assert_error, assert_serves, command, events, eventually, user

pytestmark = pytest.mark.slow

CHAT = "/v1/chat/completions"


class TestClient:
    """What clients do wrong."""

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"[]", b'{"model": "auto", "messages": "Hi"}', b"\xff\xfe", b"[" * 100_000],
        ids=["empty", "cut", "list", "text", "binary", "deep"],
    )
    def test_a_malformed_body(self, router, body):
        assert_error(router.ask("POST", CHAT, data=body), 400)

        assert_serves(router)

    def test_an_unknown_model(self, router):
        error = assert_error(router.chat("gpt-unknown"), 404, "model_not_found")

        assert "gpt-unknown" in error["message"]

    @pytest.mark.parametrize("bearer", [False, "lr_wrong", "lra_wrong"])
    def test_a_bearer_that_is_none(self, router, provider, bearer):
        before = len(provider.seen)

        answer = router.ask(
            "POST", CHAT, {"model": "custom/plain", "messages": user("Hi")}, bearer=bearer
        )

        assert_error(answer, 401, "invalid_api_key")
        assert len(provider.seen) == before

    def test_a_path_that_is_none(self, router):
        assert_error(router.ask("GET", "/v1/nothing"), 404, "not_found")
        assert_error(router.ask("GET", CHAT), 405, "method_not_allowed")

    @pytest.mark.parametrize("framed", ["announced", "chunked"])
    def test_a_body_of_33_mib(self, router, framed):
        piece = b" " * 1024 * 1024
        body = piece * 33 if framed == "announced" else iter([piece] * 33)

        # The answer comes before the body is sent, and some clients only see their pipe break.
        with suppress(requests.ConnectionError):
            answer = router.ask("POST", CHAT, data=body)
            assert answer.status_code == 413
            assert answer.json()["error"]["code"] == "request_too_large"

        assert_serves(router)

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Host": "evil.example"}, 421),
            ({"Origin": "http://evil.example"}, 403),
            ({"Content-Length": str(33 * 1024 * 1024)}, 413),
            ({"Content-Length": "+1"}, 400),
        ],
    )
    def test_what_the_listener_refuses(self, router, headers, status):
        assert_error(router.ask("GET", "/v1/models", headers=headers), status)

    @pytest.mark.engine
    @pytest.mark.parametrize("size", [80_000, 200_000])
    def test_a_prompt_longer_than_every_context(self, router, size):
        words = "the quick brown fox jumps over the lazy dog "
        text = words * (size // len(words))

        error = assert_error(router.chat("auto", text), 400, "context_length_exceeded")

        assert error["type"] == "invalid_request_error"
        assert router.chat("auto").status_code == 200

    @pytest.mark.parametrize("stream", [False, True])
    def test_every_answer_has_its_row_before_it_ends(self, router, stream):
        answer = router.chat("custom/plain", stream=stream, headers={"X-Request-Id": "mine-7"})
        if stream:
            assert events(answer)[-1] == "[DONE]"
        else:
            assert answer.json()

        row = router.row(answer.headers["x-request-id"])
        [attempt] = router.attempts(row["id"])
        assert (row["status"], row["rid"], row["asked"]) == (200, "mine-7", "custom/plain")
        assert (attempt["state"], attempt["input"], attempt["output"]) == ("settled", 9, 5)
        assert attempt["provider_id"] == "chatcmpl-up"

    def test_an_export_is_the_database(self, router):
        answer = router.chat("custom/plain", headers={"X-Request-Id": "for the export"})

        lines = [json.loads(line) for line in _export(router).splitlines()]

        [line] = [line for line in lines if line["rid"] == "for the export"]
        assert line == {
            "attempt_id": line["attempt_id"],
            "request_id": answer.headers["x-request-id"],
            "rid": "for the export",
            "provider": "custom",
            "provider_id": "chatcmpl-up",
            "model": "custom/plain",
            "state": "settled",
            "prompt_tokens": 9,
            "cached_tokens": 0,
            "completion_tokens": 5,
            "cost_nusd": None,
            "created_at": line["created_at"],
            "project": "default",
        }

    def test_one_that_leaves_in_a_stream_stops_it(self, router, provider):
        provider.left.clear()
        answer = router.chat("custom/endless", stream=True)
        assert next(answer.iter_lines())

        left_at = time.monotonic()
        answer.close()

        assert provider.saw_leave()
        assert time.monotonic() - left_at < 2
        row = router.ended(answer.headers["x-request-id"])
        [attempt] = router.attempts(row["id"])
        assert (row["status"], row["error"]) == (499, "client_left")
        assert attempt["state"] == "estimated"
        assert attempt["output"] > 0

    def test_one_that_leaves_before_the_first_word_stops_it(self, router, provider):
        provider.left.clear()
        body = json.dumps({"model": "custom/never", "messages": user("Hi"), "stream": True})
        before = len(provider.seen)
        with socket.create_connection(("127.0.0.1", router.port)) as client:
            client.sendall(_post(router, body))
            eventually(lambda: len(provider.seen) > before)

        assert provider.saw_leave()
        [row] = eventually(
            lambda: router.query(
                "SELECT * FROM request WHERE asked = 'custom/never' AND ended_ms IS NOT NULL"
            )
        )
        [attempt] = router.attempts(row["id"])
        assert (row["status"], attempt["state"]) == (499, "unknown")

    def test_one_that_leaves_while_it_asks_leaves_no_trace(self, router):
        before = router.log()
        with socket.create_connection(("127.0.0.1", router.port)) as client:
            client.sendall(_post(router, "{" * 1000)[:-500])

        assert_serves(router)
        assert "nobody foresaw" not in router.log().removeprefix(before)


class TestWho:
    """The admin, projects, and nobody."""

    def test_the_admin_key_is_no_project(self, router):
        body = {"model": "custom/plain", "messages": user("Hi")}

        assert_error(router.admin("POST", CHAT, body), 401)
        assert_error(router.admin("GET", "/v1/models"), 401)

    def test_a_bearer_reaches_no_admin_route(self, router):
        for method, path in (("GET", "/api/projects"), ("POST", "/api/sign-in-codes")):
            assert_error(router.ask(method, path), 401)

    def test_a_project_never_sees_anothers_usage(self, router):
        other = router.admin("POST", "/api/projects", {"name": "onlooker"}).json()
        assert_serves(router)

        usage = router.ask("GET", "/api/usage", bearer=other["bearer"]).json()
        export = router.ask("GET", "/api/usage/attempts", bearer=other["bearer"])
        asked = router.ask("GET", "/api/usage?projectId=default", bearer=other["bearer"])

        assert (usage["totalCalls"], usage["byModel"]) == (0, [])
        assert export.content == b""
        assert_error(asked, 404)

    def test_a_decision_over_the_wire(self, router):
        decision = router.ask("POST", "/v1/route", {"messages": user("Hi")})

        assert decision.status_code == 200
        assert decision.headers["x-request-id"]
        assert {
            "tier", "score", "need_strong", "confidence", "stage", "model", "provider",
            "fallbacks", "reasons", "gates", "estimated_cost_usd", "latency_ms",
        } <= set(decision.json())  # fmt: skip

    def test_keyless_and_unknown_models(self, serve):
        server = serve(LAROUTER_KEYLESS="1", LAROUTER_UNKNOWN_MODEL="auto")
        body = {"model": "gpt-4o", "messages": user("Hi")}

        decision = server.ask("POST", "/v1/route", body, bearer=False)
        answer = server.ask("POST", CHAT, {**body, "model": "custom/plain"}, bearer=False)
        wrong = server.ask("GET", "/v1/models", bearer="lr_wrong")
        admin = server.ask("GET", "/api/projects", bearer=False)
        page = server.ask("GET", "/v1/models", bearer=False, headers={"Origin": "http://evil"})

        assert (decision.status_code, decision.json()["tier"]) == (200, "HEARTBEAT")
        row = server.row(answer.headers["x-request-id"])
        [project] = server.query("SELECT name FROM project WHERE id = ?", row["project_id"])
        assert project["name"] == "default"
        assert (wrong.status_code, admin.status_code, page.status_code) == (401, 401, 403)


def _export(server):
    result = command(server.home, "usage", "export", "--attempts")
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def _post(server, body):
    return (
        f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {server.bearer}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
