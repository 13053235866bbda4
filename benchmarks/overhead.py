"""What LARouter adds to a request: the same calls to a fake upstream, direct and through us.

    python benchmarks/overhead.py [--seconds 4] [--events 200] [--json]

One run measures everything: CPU time of our server process per JSON request and per forwarded SSE
event, added p50 and p99, added time to the first token, memory, start-up. Requests name their
model, carry a bearer, and are accounted in a real SQLite file. The fake upstream and the client
are processes of their own, so their time does not count. Latencies are differences between two
noisy figures: read them with the machine's load in mind, and trust CPU and ratios more.

SSE is measured twice: `paced`, an event every 5 ms on each connection as models send them, so
that each event is received and sent on its own; and `burst`, as fast as the upstream can, where
events that arrive together leave together.
"""

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import socket  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402
import psutil  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
FAKE = Path(__file__).with_name("fake_upstream.py")
PROMPT = "Which of the two words is longer, and by how many letters? " * 4


class Target:
    """Where calls go: address, path, bearer, model."""

    def __init__(self, port, model, bearer):
        self.port, self.model, self.bearer = port, model, bearer

    def request(self, **fields):
        body = json.dumps(
            {"model": self.model, "messages": [{"role": "user", "content": PROMPT}], **fields}
        ).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Authorization: Bearer {self.bearer}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def json_calls(target, connections, seconds):
    """Latencies in seconds of keep-alive JSON calls."""
    request, latencies, end = target.request(), [], time.perf_counter() + seconds

    def client():
        connection = target.connect()
        while time.perf_counter() < end:
            started = time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(65536)
            while not answer.endswith(b"}"):
                answer += connection.recv(65536)
            latencies.append(time.perf_counter() - started)
            assert answer.startswith(b"HTTP/1.1 200"), answer
        connection.close()

    gevent.joinall([gevent.spawn(client) for _ in range(connections)], raise_error=True)
    return latencies


def streams(target, connections, seconds, **fields):
    """Times to the first event in seconds, and the number of events."""
    request, firsts, end = target.request(stream=True, **fields), [], time.perf_counter() + seconds
    events = 0

    def client():
        nonlocal events
        connection = target.connect()
        while time.perf_counter() < end:
            started, first, tail = time.perf_counter(), 0.0, b""
            connection.sendall(request)
            while b"0\r\n\r\n" not in tail[-8:]:
                piece = connection.recv(65536)
                assert piece, tail
                if not first and b"data:" in piece:
                    first = time.perf_counter() - started
                events += piece.count(b"data: {")
                tail = tail[-16:] + piece
            firsts.append(first)
        connection.close()

    gevent.joinall([gevent.spawn(client) for _ in range(connections)], raise_error=True)
    return firsts, events


def cpu_s(process):
    times = process.cpu_times()
    return times.user + times.system


def start(command, environment):
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )


def serve(home, upstream_port):
    """Start LARouter twice (the second start counts) and make a project."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LAROUTER_")},
        "LAROUTER_HOME": str(home),
        "LAROUTER_PORT": "0",
        "LAROUTER_CUSTOM_URL": f"http://127.0.0.1:{upstream_port}/v1",
    }
    command = [sys.executable, str(ROOT / "app.py")]
    made = subprocess.run(
        [*command, "projects", "create", "bench", "--json"],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    started = time.perf_counter()
    process = start([*command, "serve"], environment)
    runtime = home / "runtime.json"
    while not runtime.exists():
        assert process.poll() is None, "the server did not start"
        time.sleep(0.01)
    port = json.loads(runtime.read_text())["port"]
    with socket.create_connection(("127.0.0.1", port)) as probe:
        probe.sendall(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        assert probe.recv(4096).startswith(b"HTTP/1.1 200")
    return process, port, json.loads(made.stdout)["bearer"], time.perf_counter() - started


def percentiles(values):
    ordered = sorted(values)
    return statistics.median(ordered) * 1e3, ordered[int(len(ordered) * 0.99)] * 1e3


def measure(options):
    upstream = start([sys.executable, str(FAKE)], None)
    upstream_port = int(upstream.stdout.readline())
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        server, port, bearer, found["start_s"] = serve(Path(folder), upstream_port)
        process = psutil.Process(server.pid)
        found["idle_mb"] = process.memory_info().rss / 1e6
        direct = Target(upstream_port, "fake", "sk-direct")
        ours = Target(port, "custom/fake", bearer)
        try:
            for connections in (1, 16):
                found[connections] = measure_at(connections, direct, ours, process, options)
            found["busy_mb"] = process.memory_info().rss / 1e6
        finally:
            server.terminate()
            server.wait(30)
            upstream.kill()
    found["classify_us"] = classifier_us()
    return found


def measure_at(connections, direct, ours, process, options):
    json_calls(ours, connections, 0.5)
    before = cpu_s(process)
    latencies = json_calls(ours, connections, options.seconds)
    spent = cpu_s(process) - before
    ours_p50, ours_p99 = percentiles(latencies)
    direct_p50, direct_p99 = percentiles(json_calls(direct, connections, options.seconds))
    row = {
        "json_cpu_us": spent / len(latencies) * 1e6,
        "json_per_s": len(latencies) / options.seconds,
        "added_p50_ms": ours_p50 - direct_p50,
        "added_p99_ms": ours_p99 - direct_p99,
    }
    for kind, pause_ms in (("paced", 5), ("burst", 0)):
        fields = {"events": options.events, "pause_ms": pause_ms}
        before = cpu_s(process)
        firsts, events = streams(ours, connections, options.seconds, **fields)
        spent = cpu_s(process) - before - len(firsts) * row["json_cpu_us"] / 1e6
        direct_firsts, _ = streams(direct, connections, options.seconds, **fields)
        row[f"{kind}_event_us"] = spent / events * 1e6
        row[f"{kind}_first_ms"] = percentiles(firsts)[0] - percentiles(direct_firsts)[0]
    return row


def classifier_us():
    """CPU time of the classifier on prompts of different kinds, which explicit models skip."""
    sys.path.insert(0, str(ROOT))
    from larouter.classify import cascade
    from larouter.classify.default import Default
    from larouter.classify.rules import Rules
    from larouter.core.chat import ChatRequest, Message

    rules = Rules((ROOT / "larouter/data/rules.toml").read_text("utf-8"))
    classify = cascade((rules, Default()))
    prompts = ["hi", "What is the capital of France?", PROMPT, "Summarise this: " + PROMPT * 40]
    requests = [
        ChatRequest(model="auto", messages=(Message("user", text),), body={}, size=len(text))
        for text in prompts
    ]
    rounds = 500
    before = time.process_time()
    for _ in range(rounds):
        for request in requests:
            classify(request)
    return (time.process_time() - before) / rounds / len(requests) * 1e6


def show(found):
    print(f"start to a 200 on /health   {found['start_s']:8.2f} s")
    print(f"memory, idle / after load   {found['idle_mb']:8.0f} MB / {found['busy_mb']:.0f} MB")
    print(f"classifier, a prompt        {found['classify_us']:8.0f} µs CPU (explicit models: 0)")
    print()
    print(f"{'':34}{'1 connection':>14}{'16 connections':>16}")
    for name, label, unit in (
        ("json_cpu_us", "CPU per JSON request", "µs"),
        ("json_per_s", "JSON requests per second", "/s"),
        ("added_p50_ms", "added to a JSON answer, p50", "ms"),
        ("added_p99_ms", "added to a JSON answer, p99", "ms"),
        ("paced_event_us", "CPU per SSE event, paced", "µs"),
        ("burst_event_us", "CPU per SSE event, burst", "µs"),
        ("paced_first_ms", "added to the first token, paced", "ms"),
        ("burst_first_ms", "added to the first token, burst", "ms"),
    ):
        one, many = found[1][name], found[16][name]
        print(f"{label:<34}{one:>11.2f} {unit}{many:>13.2f} {unit}")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=4)
    options.add_argument("--events", type=int, default=200)
    options.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = options.parse_args()
    found = measure(options)
    if options.json:
        print(json.dumps(found))
    else:
        show(found)


if __name__ == "__main__":
    main()
