"""A provider that keeps its own books: a process of its own, which nobody kills.

Started as `python journal.py FILE`, it prints its port. Each line of the file is JSON and on the
disk before the provider goes on: `asked` when a request has come, with the usage that it will be
charged for; `told` before the bytes leave that say so; `refused` when there is no answer.

`RID` in a request is what its client named it; the text of the message carries it.
"""

import json
import os
import random
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

RID = re.compile(r"rid-[\w-]+")
REFUSED = 503
_ONE_IN = 20
"""How many requests are there to one that is refused."""
_PAUSE_S = 0.02


class Journal:
    """Lines that are on the disk when `write` returns."""

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()

    def write(self, event, **facts):
        line = json.dumps({"event": event, **facts}).encode() + b"\n"
        with self._lock:
            os.write(self._file, line)
            os.fdatasync(self._file)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, journal):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.journal = journal
        self.numbers = count(1)

    def handle_error(self, request, client_address):
        """Who asks is killed in the middle: that is the point."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self):
        self._json({"object": "list", "data": []})

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(raw)
        rid = RID.findall(body["messages"][-1]["content"])[0]
        if random.randrange(_ONE_IN) == 0:
            self.server.journal.write("refused", rid=rid)
            self._json({"error": {"message": "busy", "type": "server_error"}}, REFUSED)
            return
        answer = f"chatcmpl-{next(self.server.numbers)}"
        usage = _usage(len(raw), body.get("max_completion_tokens") or body["max_tokens"])
        self.server.journal.write("asked", id=answer, rid=rid, usage=usage)
        time.sleep(random.random() * _PAUSE_S)
        if body.get("stream"):
            self._stream(answer, usage)
        else:
            self.server.journal.write("told", id=answer)
            message = {"role": "assistant", "content": "a word " * 3}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            shape = {"id": answer, "object": "chat.completion", "created": 1, "model": "m"}
            self._json({**shape, "choices": [choice], "usage": usage})

    def _stream(self, answer, usage):
        shape = {"id": answer, "object": "chat.completion.chunk", "created": 1, "model": "m"}
        self._head("text/event-stream", ("Transfer-Encoding", "chunked"))
        for _ in range(random.randrange(1, 6)):
            choice = {"index": 0, "delta": {"content": "a word "}, "finish_reason": None}
            self._chunk({**shape, "choices": [choice]})
            time.sleep(random.random() * _PAUSE_S)
        last = {"index": 0, "delta": {}, "finish_reason": "stop"}
        self._chunk({**shape, "choices": [last]})
        self.server.journal.write("told", id=answer)
        self._chunk({**shape, "choices": [], "usage": usage})
        self.wfile.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")

    def _chunk(self, event):
        data = b"data: " + json.dumps(event).encode() + b"\n\n"
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _json(self, answer, status=200):
        data = json.dumps(answer).encode()
        self._head("application/json", ("Content-Length", str(len(data))), status)
        self.wfile.write(data)

    def _head(self, kind, field, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header(*field)
        self.end_headers()

    def log_message(self, *_):
        pass


def _usage(size, longest):
    """Never more than such a request can take: a token is at least a byte."""
    prompt, output = random.randrange(size), random.randrange(1, longest + 1)
    cached = random.choice((0, random.randrange(prompt + 1)))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def main():
    server = _Server(Journal(sys.argv[1]))
    print(server.server_port, flush=True)  # noqa: T201 - its parent reads it
    server.serve_forever()


if __name__ == "__main__":
    main()
