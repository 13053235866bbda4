"""Clients that never stop asking, whatever becomes of the server, and remember what they got."""

import json
import random
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from itertools import count

_PATIENCE_S = 30
_GONE_S = 0.05
"""Between two tries while nobody listens, or after a refusal."""
MODEL = "openai/gpt-6-luna"
MAX_TOKENS = 300


class Load:
    """Threads that ask, streamed and plain, in the name of several projects."""

    def __init__(self, bearers, clients):
        self.clients = clients
        self.port = 0
        """Where the server listens now."""
        self.asked = set()
        """Every request by its rid, whatever became of it."""
        self.whole = {}
        """What was received to its last byte: rid and (id, usage or None)."""
        self.left = set()
        """Where the client did not wait for the end."""
        self.dry = 0
        """How often a budget was used up."""
        self._stopping = threading.Event()
        self._numbers = count(1)
        self._threads = [
            threading.Thread(target=self._work, args=(bearers[n % len(bearers)],))
            for n in range(clients)
        ]
        self._begun = False

    def start(self, port):
        """Ask this port from now on."""
        self.port = port
        if not self._begun:
            self._begun = True
            for thread in self._threads:
                thread.start()

    def stop(self):
        """Return when every answer under way has come."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_PATIENCE_S)
            assert not thread.is_alive(), "an answer never ended"

    def _work(self, bearer):
        while not self._stopping.is_set():
            rid = f"rid-{next(self._numbers)}"
            try:
                served = self._ask(rid, bearer)
            except (OSError, HTTPException, ValueError):
                served = False  # nobody listens, or it was killed in the middle
            if not served:
                time.sleep(_GONE_S)

    def _ask(self, rid, bearer):
        """Return whether there was an answer."""
        stream, leaves = random.random() < 0.6, random.random() < 0.1
        body = {
            "model": MODEL,
            "messages": [{"role": "user", "content": f"{rid} {'x' * random.randrange(400)}"}],
            "max_completion_tokens": MAX_TOKENS,
        }
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        head = {
            "Authorization": f"Bearer {bearer}",
            "Content-Type": "application/json",
            "X-Request-Id": rid,
        }
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_S)
        try:
            connection.connect()
            self.asked.add(rid)
            connection.request("POST", "/v1/chat/completions", json.dumps(body), head)
            answer = connection.getresponse()
            if answer.status != 200:
                self.dry += answer.status == 429
                return False
            if stream and leaves:
                self.left.add(rid)
                answer.readline()
                return True
            text = answer.read()
            self._remember(rid, text, stream)
            return True
        finally:
            with suppress(OSError):
                connection.close()

    def _remember(self, rid, text, stream):
        if not stream:
            whole = json.loads(text)
            self.whole[rid] = (whole["id"], whole["usage"])
            return
        events = [line[6:] for line in text.splitlines() if line.startswith(b"data: ")]
        if not events or events[-1] != b"[DONE]":
            return
        last = json.loads(events[-2])
        self.whole[rid] = (last["id"], last["usage"])
