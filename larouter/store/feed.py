"""Tells whoever watches of every request that ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
from gevent.event import Event

from larouter.core.report import RequestLine

_BACKLOG = 200
"""Lines that a slow watcher may be behind; then it loses the oldest."""

Lines = Callable[[float], Iterator[RequestLine | None]]


class Feed:
    """A broadcast inside this process. `publish` never waits for a watcher."""

    def __init__(self) -> None:
        self._watchers: dict[int, tuple[deque[RequestLine], Event]] = {}
        self._closed = False

    @property
    def is_watched(self) -> bool:
        """Is it worth making a line?"""
        return bool(self._watchers)

    def publish(self, line: RequestLine) -> None:
        for queue, news in self._watchers.values():
            queue.append(line)
            news.set()

    def close(self) -> None:
        """End every watcher's lines, also of those to come: a stop does not wait for them."""
        self._closed = True
        for _, news in self._watchers.values():
            news.set()

    @contextmanager
    def subscribe(self) -> Iterator[Lines]:
        """Give `lines(timeout_s)`: an iterator of lines until `close`, None after each silent
        timeout."""
        queue: deque[RequestLine] = deque(maxlen=_BACKLOG)
        news = Event()
        self._watchers[id(queue)] = (queue, news)

        def lines(timeout_s: float) -> Iterator[RequestLine | None]:
            while not self._closed:
                news.wait(timeout_s)
                if not queue:
                    yield None
                while queue:
                    yield queue.popleft()
                news.clear()
                gevent.sleep(0)

        try:
            yield lines
        finally:
            del self._watchers[id(queue)]
