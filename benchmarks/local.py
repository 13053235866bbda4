"""Tokens per second of the starter model: through LARouter, and from its engine directly.

    python benchmarks/local.py [--rounds 6] [--tokens 64] [--json]
    python benchmarks/local.py --base-url http://127.0.0.1:18790/v1 --bearer lr_…

One run measures both, in turns, with the same prompts, at 1 and at 8 streams at once; each side
has an engine of its own, which is idle while the other one works. Ratios are LARouter's figure
over the engine's. Per CPU second counts the engine and, on LARouter's side, the server; the
client is not counted. With `--base-url` the server is somebody else's, so only time is compared.
"""

import argparse
import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from larouter.config import folder, read_settings  # noqa: E402
from larouter.core.catalog_toml import read_catalog  # noqa: E402
from larouter.engines.files import Files  # noqa: E402
from larouter.engines.pool import Pool  # noqa: E402

CONCURRENCY = (1, 8)
THINGS = ("sea", "moon", "forest", "city", "river", "desert", "winter", "harbour")


class Side:
    """Where streams come from, and which processes work for them."""

    def __init__(self, name, base_url, bearer, model, processes):
        self.name, self.bearer, self.model = name, bearer, model
        self.address = urlsplit(base_url)
        self._processes = processes

    def cpu_s(self):
        """CPU seconds used so far, or None when the processes are not ours to see."""
        processes = self._processes()
        if not processes:
            return None
        times = [process.cpu_times() for process in processes]
        return sum(one.user + one.system for one in times)

    def stream(self, prompt, tokens):
        """Read one stream to its end; return its tokens and the time to the first one."""
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        headers = {"Authorization": f"Bearer {self.bearer}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port)
        started, first, usage = time.perf_counter(), None, None
        with contextlib.closing(connection):
            path = f"{self.address.path}/chat/completions"
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            assert response.status == 200, (self.name, response.status, response.read())
            for line in response:
                if not line.startswith(b"data: {"):
                    continue
                first = first or time.perf_counter() - started
                event = json.loads(line[6:])
                usage = event.get("usage") or usage
        return usage["completion_tokens"], first


def measure(side, streams, tokens, salt):
    """Run so many streams at once; return tokens, seconds, CPU seconds, first-token times."""
    results = []

    def client(number):
        prompt = f"Write a long story about the {THINGS[number]}, part {salt}."
        results.append(side.stream(prompt, tokens))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(streams)]
    cpu, started = side.cpu_s(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall_s = time.perf_counter() - started
    assert len(results) == streams, f"{side.name}: a stream failed"
    return {
        "tokens": sum(count for count, _ in results),
        "wall_s": wall_s,
        "cpu_s": None if cpu is None else side.cpu_s() - cpu,
        "first_s": [first for _, first in results],
    }


def compare(sides, streams, rounds, tokens):
    """Take turns; return each side's figures over all rounds."""
    taken = {side.name: [] for side in sides}
    for round_number in range(rounds):
        # Who goes first alternates, so that a drift of the machine favours nobody.
        for side in sides if round_number % 2 == 0 else reversed(sides):
            taken[side.name].append(measure(side, streams, tokens, round_number))
    return {name: summary(parts) for name, parts in taken.items()}


def summary(parts):
    count = sum(part["tokens"] for part in parts)
    cpu = None if parts[0]["cpu_s"] is None else sum(part["cpu_s"] for part in parts)
    return {
        "tokens": count,
        "per_wall_s": count / sum(part["wall_s"] for part in parts),
        "per_cpu_s": count / cpu if cpu else None,
        "first_ms": 1000 * statistics.median(t for part in parts for t in part["first_s"]),
    }


def ratios(figures):
    ours, direct = figures["larouter"], figures["engine"]
    return {
        name: ours[name] / direct[name] if ours[name] and direct[name] else None
        for name in ("per_wall_s", "per_cpu_s")
    } | {"added_first_ms": ours["first_ms"] - direct["first_ms"]}


@contextlib.contextmanager
def engine(home, starter, settings):
    """The engine alone, by the pool that LARouter uses."""
    files = Files(home / "models", home / "verified.json")
    pool = Pool(files, logs=home / "logs", environment=settings.child_environment)
    address = pool.ensure_ready(starter)
    child = psutil.Process(pool.ready(starter).pid)
    try:
        yield Side("engine", address.url, address.key, starter.id, lambda: [child])
    finally:
        pool.stop_all()


@contextlib.contextmanager
def larouter(home, starter):
    """A server of our own in a data folder of its own."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LAROUTER_")},
        "LAROUTER_HOME": str(home),
        "LAROUTER_PORT": "0",
    }
    command = [sys.executable, str(ROOT / "app.py")]
    made = subprocess.run(
        [*command, "projects", "create", "bench", "--json"],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    server = subprocess.Popen(
        [*command, "serve"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        runtime = home / "runtime.json"
        while not runtime.exists():
            assert server.poll() is None, "the server did not start"
            time.sleep(0.01)
        port = json.loads(runtime.read_text())["port"]
        process = psutil.Process(server.pid)
        yield Side(
            "larouter",
            f"http://127.0.0.1:{port}/v1",
            json.loads(made.stdout)["bearer"],
            starter.id,
            lambda: [process, *process.children(recursive=True)],
        )
    finally:
        server.terminate()
        server.wait(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=64, help="of each answer")
    parser.add_argument("--base-url", help="measure this server instead of one of our own")
    parser.add_argument("--bearer", help="of a project there")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    catalog = read_catalog((folder("data") / "catalog.toml").read_text("utf-8"))
    starter = catalog.models[catalog.starter]
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        direct = stack.enter_context(
            engine(home / "engine", starter, read_settings(dict(os.environ)))
        )
        if options.base_url:
            ours = Side("larouter", options.base_url, options.bearer, starter.id, list)
        else:
            ours = stack.enter_context(larouter(home / "larouter", starter))
        for side in (direct, ours):  # the first request of each loads its engine
            measure(side, 1, 8, "none")
        found = {
            streams: compare((direct, ours), streams, options.rounds, options.tokens)
            for streams in CONCURRENCY
        }
    if options.json:
        print(
            json.dumps({n: {**figures, "ratio": ratios(figures)} for n, figures in found.items()})
        )
    else:
        show(found)


def show(found):
    print(f"{'streams':>7} {'':10} {'tokens/s':>9} {'/CPU s':>9} {'first ms':>9}")
    for streams, figures in found.items():
        for name, one in figures.items():
            print(
                f"{streams:>7} {name:10} {one['per_wall_s']:9.1f} {_cell(one['per_cpu_s']):>9} "
                f"{one['first_ms']:9.1f}"
            )
        ratio = ratios(figures)
        print(
            f"{streams:>7} {'ratio':10} {ratio['per_wall_s']:9.3f} "
            f"{_cell(ratio['per_cpu_s'], 3):>9} {ratio['added_first_ms']:+9.1f}"
        )


def _cell(number, digits=1):
    return "-" if number is None else f"{number:.{digits}f}"


if __name__ == "__main__":
    main()
