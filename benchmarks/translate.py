"""What it costs to speak every format: pass-through and each translation, in processor time.

    python benchmarks/translate.py [--seconds 3] [--events 2000] [--json]

Three measurements of one run:

- every pair of a client's dialect and a provider's wire: CPU per streamed event, reader and writer
  together, events cut apart as models send them; beside it what the openai SDK alone spends to
  read an event, and the ratio;
- the real server in front of a fake upstream that costs next to nothing, in each dialect that
  passes through: CPU per request; the same with a prompt of 200 KB, and what that adds;
- 50 slow streams of one project at once: how much later than the upstream sent it the first token
  of each reaches the client. Both read the clock of this machine.
"""

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import socket  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402
import psutil  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
FAKE = Path(__file__).with_name("fake_formats.py")
LONG = 200_000
STREAMS = 50
sys.path.insert(0, str(ROOT))

PATHS = {
    "chat": ("/v1/chat/completions", "openai/fake"),
    "responses": ("/v1/responses", "openai/fake"),
    "anthropic": ("/v1/messages", "anthropic/fake"),
    "gemini": ("/v1beta/models/google/fake:generateContent", ""),
}


def body_of(dialect, text, stream=False):
    """A request of that dialect, and the path that it goes to."""
    path, model = PATHS[dialect]
    if dialect == "gemini":
        if stream:
            path = path.replace(":generate", ":streamGenerate") + "?alt=sse"
        return path, {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    body = {"model": model, "stream": stream}
    if dialect == "responses":
        return path, {**body, "input": text, "store": False}
    body["messages"] = [{"role": "user", "content": text}]
    return path, body | ({"max_tokens": 100} if dialect == "anthropic" else {})


# --- each pair, in this process


def provider_streams(count):
    """A stream of each wire with so many words, written by the dialect of the same name."""
    from larouter.core.chat import Usage
    from larouter.core.events import Finished, Started, TextDelta
    from larouter.wire.dialects import DIALECTS, WIRES

    streams = {}
    for name in WIRES:
        writer = DIALECTS[name].writer(request_of(name))
        frames = [writer.write([Started("id-1", "fake")])]
        frames += [writer.write([TextDelta(" word")]) for _ in range(count)]
        frames.append(writer.finish(Finished("stop", Usage(input=50, output=count))))
        streams[name] = [frame for frame in frames if frame]
    return streams


def request_of(dialect):
    """The least that a writer needs to know of its request."""
    from larouter.core.chat import ChatRequest, Message

    model = "m"
    bodies = {
        "responses": {"model": model, "input": "hi", "stream": True, "store": False},
        "ollama": {"model": model, "messages": [], "stream": True},
        "completions": {"model": model, "prompt": "hi", "stream": True},
        "gemini": {"contents": []},
    }
    body = bodies.get(dialect, {"model": model, "messages": [], "stream": True})
    return ChatRequest(
        model=model, messages=(Message("user", "hi"),), body=body, size=50, stream=True,
        dialect=dialect, wants_usage=True,
    )  # fmt: skip


def pairs_us(count):
    """CPU per event of every pair, in µs; a pair of equal names is the relay."""
    from larouter.wire.dialects import DIALECTS, WIRES
    from larouter.wire.road import Translation

    found = {}
    streams = provider_streams(count)
    for wire_name, frames in streams.items():
        for name, dialect in DIALECTS.items():
            wire = WIRES[wire_name]
            request = request_of(name)
            best = float("inf")
            for _ in range(3):
                road = (
                    wire.relay(request)
                    if name == wire_name
                    else Translation(wire.reader(), dialect.writer(request))
                )
                before = time.process_time()
                for frame in frames:
                    road.feed(frame)
                road.finish(prompt_tokens=1)
                best = min(best, time.process_time() - before)
            found[f"{name} over {wire_name}"] = best / count * 1e6
    return found


def sdk_us(count):
    """What the openai client spends on one event of a chat stream, without a network."""
    from openai.types.chat import ChatCompletionChunk

    events = [
        frame.partition(b"data: ")[2].strip()
        for frame in provider_streams(count)["chat"]
        if b'"content":" word"' in frame
    ]
    before = time.process_time()
    for event in events:
        ChatCompletionChunk.construct(**json.loads(event))
    return (time.process_time() - before) / len(events) * 1e6


# --- the server


def serve(home, upstream_port):
    address = f"http://127.0.0.1:{upstream_port}"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LAROUTER_")},
        "LAROUTER_HOME": str(home),
        "LAROUTER_PORT": "0",
        "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": f"{address}/v1",
        "ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": address,
        "GOOGLE_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": address,
    }  # fmt: skip
    command = [sys.executable, str(ROOT / "app.py")]
    made = subprocess.run(
        [*command, "projects", "create", "bench", "--json"],
        env=environment, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    process = subprocess.Popen(
        [*command, "serve"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    runtime = home / "runtime.json"
    while not runtime.exists():
        assert process.poll() is None, "the server did not start"
        time.sleep(0.01)
    port = json.loads(runtime.read_text())["port"]
    time.sleep(0.5)
    return process, port, json.loads(made.stdout)["bearer"]


def raw(port, bearer, path, body):
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {bearer}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def request_us(process, port, request, seconds, connections=16):
    """CPU of the server per JSON call."""
    calls = 0

    def client(until):
        nonlocal calls
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while time.perf_counter() < until:
                connection.sendall(request)
                answer = connection.recv(65536)
                while not answer.endswith(b"}"):
                    answer += connection.recv(65536)
                assert answer.startswith(b"HTTP/1.1 200"), answer
                calls += 1

    def run(duration):
        until = time.perf_counter() + duration
        gevent.joinall([gevent.spawn(client, until) for _ in range(connections)], raise_error=True)

    run(0.5)
    calls, before = 0, process.cpu_times()
    run(seconds)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / calls * 1e6


def first_token_ms(port, bearer, dialect, model_of=None):
    """How late the first token of each of 50 slow streams is, sorted."""
    path, body = body_of(dialect, "hi", stream=True)
    if model_of:
        body["model"] = model_of
    request, late = raw(port, bearer, path, body), []

    def client(number):
        gevent.sleep(number * 0.01)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request)
            seen = b""
            while b"sent-at " not in seen:
                piece = connection.recv(65536)
                arrived = time.time_ns()
                assert piece, seen
                seen += piece
            sent = int(seen.partition(b"sent-at ")[2][:19])
            late.append((arrived - sent) / 1e6)
            while connection.recv(65536) and len(late) < STREAMS:
                pass

    gevent.joinall([gevent.spawn(client, number) for number in range(STREAMS)], raise_error=True)
    return sorted(late)


def measure(options):
    found = {"pairs_us": pairs_us(options.events), "sdk_us": sdk_us(options.events)}
    upstream = subprocess.Popen(
        [sys.executable, str(FAKE)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    upstream_port = int(upstream.stdout.readline())
    with tempfile.TemporaryDirectory() as folder:
        server, port, bearer = serve(Path(folder), upstream_port)
        process = psutil.Process(server.pid)
        try:
            found["request_us"], found["long_us"], found["first_ms"] = {}, {}, {}
            for dialect in PATHS:
                short = raw(port, bearer, *body_of(dialect, "Which is longer? " * 10))
                long = raw(port, bearer, *body_of(dialect, "word " * (LONG // 5)))
                found["request_us"][dialect] = request_us(process, port, short, options.seconds)
                found["long_us"][dialect] = request_us(process, port, long, options.seconds)
                found["first_ms"][dialect] = first_token_ms(port, bearer, dialect)
            found["first_ms"]["chat over anthropic"] = first_token_ms(
                port, bearer, "chat", model_of="anthropic/fake"
            )
        finally:
            server.terminate()
            server.wait(30)
            upstream.kill()
    return found


def show(found):
    sdk = found["sdk_us"]
    print(f"the openai SDK builds one event in {sdk:.1f} µs CPU\n")
    print(f"{'CPU per streamed event':<32}{'µs':>8}{'of the SDK':>12}")
    for pair, spent in found["pairs_us"].items():
        print(f"{pair:<32}{spent:>8.2f}{spent / sdk:>12.2f}")
    print(f"\n{'pass-through, 16 connections':<32}{'a request':>12}{'200 KB':>12}{'added':>10}")
    for dialect, spent in found["request_us"].items():
        long = found["long_us"][dialect]
        print(f"{dialect:<32}{spent:>9.0f} µs{long:>9.0f} µs{long - spent:>7.0f} µs")
    print(f"\n{STREAMS} slow streams: first token after its sending{'p50':>10}{'p99':>10}")
    for dialect, late in found["first_ms"].items():
        p50, p99 = late[len(late) // 2], late[int(len(late) * 0.99)]
        print(f"{dialect:<48}{p50:>7.2f} ms{p99:>7.2f} ms")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=3)
    options.add_argument("--events", type=int, default=2000)
    options.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = options.parse_args()
    found = measure(options)
    if options.json:
        print(json.dumps(found))
    else:
        show(found)


if __name__ == "__main__":
    main()
