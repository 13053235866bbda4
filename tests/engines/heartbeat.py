"""How late the hub of a gevent process is while an engine loads and generates beneath it, in ms.

Run as a program: nothing may be imported before gevent has replaced the standard library.
"""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402

from tests.engines.starter import STARTER, Client, pool_in  # noqa: E402

_BEAT_S = 0.005


def beat(lateness):
    last = time.perf_counter()
    while True:
        gevent.sleep(_BEAT_S)
        now = time.perf_counter()
        lateness.append(now - last - _BEAT_S)
        last = now


def main():
    with tempfile.TemporaryDirectory() as folder:
        pool = pool_in(Path(folder))
        lateness: list[float] = []
        gevent.spawn(beat, lateness)
        gevent.sleep(0.1)
        client = Client(pool.ensure_ready(STARTER))
        readers = [gevent.spawn(client.events, "Tell me a story.", max_tokens=30) for _ in range(8)]
        gevent.joinall(readers, raise_error=True)
        pool.stop_all()
    sys.stdout.write(f"{max(lateness) * 1000:.1f}")


main()
