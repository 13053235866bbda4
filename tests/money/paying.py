"""Asks a real server as a client does, and works out by itself what an answer should have cost."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from fractions import Fraction
from http.client import HTTPConnection
from itertools import count
from math import ceil

from tests.serving import eventually

MODELS = {
    "openai": "openai/gpt-6-luna",
    "anthropic": "anthropic/claude-opus-5-5",
    "google": "google/gemini-4-argon",
    "deepseek": "deepseek/deepseek-v4-pro",
}
LONGEST = 500
"""Tokens of an answer, at most."""
TERMINAL = {"settled", "estimated", "unknown", "failed", "released"}
_FIGURES = {
    "input": "input", "cache_read": "cache_read", "cache_write_5m": "cache_write",
    "cache_write_1h": "cache_write_1h", "output": "output", "audio": "audio", "image": "image",
}  # fmt: skip
"""A column of an attempt, and the figure of the catalogue that it costs."""
_PATIENCE_S = 30


class Till:
    """A server, and what its attempts should have cost."""

    def __init__(self, server):
        self.server = server
        models = server.admin("GET", "/api/models/catalog").json()["data"]
        self._prices = {f"{row['provider']}/{row['id']}": row["price"] for row in models}
        self._rids = count(1)

    def begin(self, path, body):
        """Send a request; return its rid, and the connection on which its answer comes."""
        rid = f"rid-{next(self._rids)}"
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=_PATIENCE_S)
        head = {
            "Authorization": f"Bearer {self.server.bearer}",
            "Content-Type": "application/json",
            "X-Request-Id": rid,
        }
        connection.request("POST", path, json.dumps(body), head)
        return rid, connection

    def ask(self, path, body):
        """Ask, and wait for the end of the answer: its rid, status and bytes."""
        rid, connection = self.begin(path, body)
        with suppress(OSError):
            answer = connection.getresponse()
            text = answer.read()
        connection.close()
        return rid, answer.status, text

    def attempts(self, rid):
        """Those of a request, once it has ended: each in one terminal state and accounted for."""
        ended = "SELECT id FROM request WHERE rid = ? AND ended_ms IS NOT NULL"
        ((request,),) = (row.values() for row in eventually(lambda: self.server.query(ended, rid)))
        rows = self.server.attempts(request)
        for row in rows:
            self._is_accounted_for(row)
        return rows

    def attempt(self, rid):
        (row,) = self.attempts(rid)
        return row

    def _is_accounted_for(self, row):
        assert row["state"] in TERMINAL
        nothing = {"failed": 0, "released": 0, "unknown": row["hold_nusd"]}
        charged = nothing[row["state"]] if row["state"] in nothing else self._cost(row)
        assert row["cost_nusd"] == charged, row
        entries = self.server.query(
            "SELECT kind, cost_nusd FROM ledger_entry WHERE attempt_id = ?", row["id"]
        )
        assert entries == ([{"kind": "settle", "cost_nusd": charged}] if charged else [])
        holds = self.server.query("SELECT spent FROM hold WHERE attempt_id = ?", row["id"])
        assert [hold["spent"] for hold in holds] == [charged]

    def _cost(self, row):
        """By its tokens and the figures of the catalogue: no code of LARouter's."""
        price = self._prices[row["model"]]
        if "off_peak" in price and not _is_peak(price["off_peak"], row["started_ms"]):
            price = {**price, **price["off_peak"]}
        dollars = sum(row[column] * Fraction(price.get(figure, price["input"]))
                      for column, figure in _FIGURES.items())  # fmt: skip
        return ceil(dollars * 1_000)


def written(name, *, stream, text="Tell me something."):
    """A request in a cloud's own dialect: path and body."""
    model, user = MODELS[name], [{"role": "user", "content": text}]
    if name == "google":
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"/v1beta/models/{model}:{method}", {
            "contents": [{"role": "user", "parts": [{"text": text}]}],
            "generationConfig": {"maxOutputTokens": LONGEST},
        }
    path = "/v1/messages" if name == "anthropic" else "/v1/chat/completions"
    limit = "max_completion_tokens" if name == "openai" else "max_tokens"
    return path, {"model": model, "messages": user, "stream": stream, limit: LONGEST}


def _is_peak(times, at_ms):
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    spans = (span.split("-") for span in times["peak"])
    return at.isoweekday() in times.get("days", range(1, 6)) and any(
        first <= f"{at:%H:%M}" < last for first, last in spans
    )
