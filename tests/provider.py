"""A provider for `LAROUTER_CUSTOM_URL`: a real server whose model names say what it does.

`custom/plain` answers; `custom/status-429` refuses; every other model is a row of `_ANSWERS`.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TEXT = "Hello there, friend."
PIECES = ["Hello", " there", ",", " friend", "."]
USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
CALLS: list[dict[str, Any]] = [
    {"id": f"call_{city}", "type": "function", "index": index,
     "function": {"name": "weather", "arguments": json.dumps({"city": city})}}
    for index, city in enumerate(("Rome", "Oslo"))
]  # fmt: skip
_TICK_S = 0.05


class Provider:
    """Runs in threads of its own; `seen` has every request."""

    def __init__(self):
        self.seen = []
        self.left = threading.Event()
        """Has LARouter closed a connection in the middle of an answer?"""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.provider = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def last(self):
        return self.seen[-1]

    def saw_leave(self, within_s=5.0):
        """Was a connection closed in the middle of an answer since this was last asked?"""
        seen = self.left.wait(within_s)
        self.left.clear()
        return seen

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class _Server(ThreadingHTTPServer):
    provider: Provider
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def handle_error(self, request, client_address):
        """Whoever leaves early is part of the plan."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.provider.seen.append(
            {"path": self.path, "headers": dict(self.headers), "body": body}
        )
        self._begun = False
        self._stream = bool(body.get("stream"))
        name = body["model"]
        if name.startswith("status-"):
            self._refuse(int(name.removeprefix("status-")))
        else:
            _ANSWERS[name](self, body)

    def plain(self, body):
        if not self._stream:
            self._json(_completion({"role": "assistant", "content": TEXT}, n=body.get("n", 1)))
            return
        self._chunk(_delta({"role": "assistant", "content": ""}))
        for piece in PIECES:
            self._chunk(_delta({"content": piece}))
        self._end()

    def tools(self, _body):
        calls = [{key: call[key] for key in ("id", "type", "function")} for call in CALLS]
        if not self._stream:
            message = {"role": "assistant", "content": None, "tool_calls": calls}
            self._json(_completion(message, "tool_calls"))
            return
        for call in CALLS:
            begun = {**call, "function": {**call["function"], "arguments": ""}}
            self._chunk(_delta({"tool_calls": [begun]}))
            for char in call["function"]["arguments"]:
                piece = {"index": call["index"], "function": {"arguments": char}}
                self._chunk(_delta({"tool_calls": [piece]}))
        self._end("tool_calls")

    def endless(self, _body):
        """Speak until the other side leaves."""
        self._speak(until=time.monotonic() + 60)

    def slow(self, _body):
        self._speak(until=time.monotonic() + 1.5)

    def late(self, body):
        time.sleep(1.5)
        self.plain(body)

    def never(self, _body):
        """Wait for the other side to leave, and say nothing."""
        self.connection.settimeout(60)
        if not self.connection.recv(1):
            self.server.provider.left.set()
        self.close_connection = True

    def cut(self, _body):
        if self._stream:
            self._chunk(_delta({"content": "Half"}))
        else:
            self._head("application/json", [("Content-Length", "1000")])
            self.wfile.write(b'{"choices": [')
        self.close_connection = True

    def unfinished(self, _body):
        """End the HTTP answer as if all were well, but without a finish."""
        self._chunk(_delta({"content": "Half"}))
        self._last_chunk()

    def breaks(self, _body):
        self._chunk(_delta({"content": "Half"}))
        time.sleep(_TICK_S)
        self._chunk({"error": {"message": "the GPU is on fire", "type": "server_error"}})
        self._last_chunk()

    def silent(self, _body):
        self.close_connection = True

    def noise(self, _body):
        self.wfile.write(b"NOT/HTTP at all\r\n\r\n")
        self.close_connection = True

    def liar(self, body):
        """Say that more was cached than there was."""
        usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 999}}
        if not self._stream:
            message = {"role": "assistant", "content": TEXT}
            self._json({**_completion(message), "usage": usage})
            return
        self._chunk(_delta({"content": TEXT}))
        self._end(usage=usage)

    def html(self, _body):
        page = b"<html><body>Welcome to the hotel's network</body></html>"
        self._head("text/html", [("Content-Length", str(len(page)))])
        self.wfile.write(page)

    def _refuse(self, status):
        error = {"message": f"no, with {status}", "type": "some_error", "code": "some_code"}
        body = json.dumps({"error": {**error, "param": "messages"}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        # More than LARouter waits for: none of these is tried again.
        self.send_header("Retry-After", "31")
        self.send_header("Set-Cookie", "tracked=1")
        self.end_headers()
        self.wfile.write(body)

    def _speak(self, until):
        try:
            while time.monotonic() < until:
                self._chunk(_delta({"content": "word "}))
                time.sleep(_TICK_S)
        except OSError:
            self.server.provider.left.set()
            raise
        self._end()

    def _json(self, answer):
        body = json.dumps(answer).encode()
        self._head("application/json", [("Content-Length", str(len(body)))])
        self.wfile.write(body)

    def _chunk(self, event):
        if not self._begun:
            self._begun = True
            self._head("text/event-stream", [("Transfer-Encoding", "chunked")])
        data = b"data: " + (event if isinstance(event, bytes) else json.dumps(event).encode())
        self.wfile.write(b"%x\r\n%b\n\n\r\n" % (len(data) + 2, data))

    def _end(self, reason="stop", usage=USAGE):
        self._chunk(_delta({}, reason))
        self._chunk({**_delta({}), "choices": [], "usage": usage})
        self._chunk(b"[DONE]")
        self._last_chunk()

    def _last_chunk(self):
        self.wfile.write(b"0\r\n\r\n")

    def _head(self, kind, fields):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Set-Cookie", "tracked=1")
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


_SHAPE = {"id": "chatcmpl-up", "created": 1, "model": "fake-1"}


def _completion(message, reason="stop", n=1):
    choices = [
        {"index": index, "message": message, "finish_reason": reason, "logprobs": None}
        for index in range(n)
    ]
    return {**_SHAPE, "object": "chat.completion", "choices": choices, "usage": USAGE}


def _delta(delta, reason=None):
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {**_SHAPE, "object": "chat.completion.chunk", "choices": [choice]}


_ANSWERS = {
    "plain": _Handler.plain,
    "tools": _Handler.tools,
    "endless": _Handler.endless,
    "slow": _Handler.slow,
    "late": _Handler.late,
    "never": _Handler.never,
    "cut": _Handler.cut,
    "unfinished": _Handler.unfinished,
    "breaks": _Handler.breaks,
    "silent": _Handler.silent,
    "noise": _Handler.noise,
    "liar": _Handler.liar,
    "html": _Handler.html,
    "empty": lambda handler, _: handler._json({}),
    "error-200": lambda handler, _: handler._json({"error": {"message": "no money"}}),
    "no-choices": lambda handler, _: handler._json({"choices": []}),
    "list": lambda handler, _: handler._json([]),
}
