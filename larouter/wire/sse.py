"""Server-sent events: bytes in arbitrary pieces to whole events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import re

from larouter.core.errors import UpstreamError

MAX_EVENT = 8 * 1024 * 1024
"""Bytes of one event (TRUST A8)."""

_EVENT = re.compile(rb".+?\n\r?\n(?:\r?\n)*", re.DOTALL)
"""One event with the empty lines that end it; slow, and only needed where lines end in CRLF."""


class EventSplitter:
    """Cuts a byte stream after its last complete event and keeps the rest for later.

    Events are separated by an empty line. Providers write LF or CRLF; a lone CR, which the
    standard also allows, is used by none and is not looked for.
    """

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> bytes:
        """Return every event that is complete now, exactly as it came, or `b""`."""
        if not self._rest and piece.endswith(b"\n\n"):
            return piece
        data = self._rest + piece if self._rest else piece
        end = _complete(data)
        self._rest = data[end:]
        if len(self._rest) > MAX_EVENT:
            raise UpstreamError(f"The provider sent an event of more than {MAX_EVENT} bytes.")
        return data[:end]


def _complete(data: bytes) -> int:
    """Length of the complete events at the start of `data`."""
    end = data.rfind(b"\n\n") + 2
    if end == 1:
        end = 0
    if b"\r" in data:
        crlf = data.rfind(b"\n\r\n")
        if crlf >= 0:
            end = max(end, crlf + 3)
    return end


def look_whole(events: bytes) -> bool:
    """Does each event end as a JSON object does? A relay reads few of the events that it passes on,
    and must not pass on one that was cut. Comments and ends of lines with CR say False too."""
    return events.count(b"}\n\n") == events.count(b"\n\n") and b"\r" not in events


def split(events: bytes) -> list[bytes]:
    """Cut complete events apart. Joined they are the same bytes again."""
    if b"\r" in events:
        return _EVENT.findall(events)
    *found, rest = events.split(b"\n\n")
    return [event + b"\n\n" for event in found] + ([rest] if rest else [])


def data_of(event: bytes) -> bytes:
    """Return the event's data, its lines joined; `b""` for a comment."""
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2:
        return event[6:-2]
    lines = [
        line[5:].removeprefix(b" ") for line in event.splitlines() if line.startswith(b"data:")
    ]
    return b"\n".join(lines)


def write(data: bytes) -> bytes:
    """One event with `data`, which holds no line end (our JSON never does)."""
    return b"data: " + data + b"\n\n"
