"""A receiver of webhooks: a real HTTP server on loopback that answers as it is told."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook


class Receiver:
    """`got` is every letter: (id, body). `answers` are the next statuses; then it takes all.

    An answer is a status, a status with headers, or `hang`: say nothing for as long.
    """

    def __init__(self, *answers, port=0):
        self.got = []
        self.heads = []
        self.raw = []
        self.answers = list(answers)
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                with outer._lock:
                    outer.at_once += 1
                    outer.most_at_once = max(outer.most_at_once, outer.at_once)
                try:
                    outer._answer(self)
                finally:
                    with outer._lock:
                        outer.at_once -= 1

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def _answer(self, handler):
        raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            answer = self.answers.pop(0) if self.answers else 204
        with self._lock:
            self.raw.append(raw)
            self.heads.append(dict(handler.headers))
            self.got.append((handler.headers["webhook-id"], json.loads(raw or b"null")))
        if callable(answer):
            answer = answer(handler)
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status is None:
            return
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    @property
    def ids(self):
        return [id for id, _ in self.got]

    def verified(self, secret, number=-1):
        """A letter, once the specification's own package has checked who signed it."""
        return Webhook(secret).verify(self.raw[number], self.heads[number])

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def hang(seconds):
    """Take the letter, and say nothing for so long."""

    def answer(_handler):
        time.sleep(seconds)
        return 204

    return answer


def drip(handler):
    """A byte of the head now and then, without an end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    try:
        while True:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        return None, {}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
