"""Downloads with real workers, and ways to wait for what they do."""

import time

from larouter.downloads.place import Place
from larouter.downloads.queue import Downloads
from tests.engines.starter import ENVIRONMENT


def place_at(hub, folder, **facts):
    return Place(
        models=folder / "models",
        endpoint=getattr(hub, "url", hub),
        environment=ENVIRONMENT,
        **{"reserve": 0, **facts},
    )


def until(said, timeout_s=20.0):
    """Wait until something is so; return what it says."""
    deadline = time.monotonic() + timeout_s
    while not (found := said()):
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.01)
    return found


def ended(downloads, order_id="some-model"):
    """Wait until a download is over; return its row."""

    def row():
        found = downloads.row(order_id)
        return found if found.state in {"done", "failed"} else None

    return until(row)


def going(downloads, order_id="some-model", more_than=0):
    """Wait until bytes come."""

    def row():
        found = downloads.row(order_id)
        assert found.state in {"queued", "running"}, found
        return found if found.phase == "fetching" and found.bytes_done > more_than else None

    return until(row)


__all__ = ["Downloads", "ended", "going", "place_at", "until"]
