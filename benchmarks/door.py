"""CPU of the door per request, ours against gevent's stock server, in one run.

    python benchmarks/door.py [requests] [connections]

Each server runs alone in a child process with a trivial app; this process is the client, so that
its work is not counted. What is printed is the child's own CPU time (user + system) per request.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import resource
import selectors
import socket
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

_BODY = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "x" * 230}]}).encode()
_ANSWER = json.dumps(
    {"choices": [{"message": {"role": "assistant", "content": "y" * 236}}]}
).encode()
_HEAD = """POST /v1/chat/completions HTTP/1.1\r
Host: 127.0.0.1:{port}\r
Accept-Encoding: gzip, deflate\r
Connection: keep-alive\r
Accept: application/json\r
Content-Type: application/json\r
User-Agent: OpenAI/Python 1.99.1\r
X-Stainless-Lang: python\r
X-Stainless-Package-Version: 1.99.1\r
X-Stainless-OS: Linux\r
X-Stainless-Arch: x64\r
X-Stainless-Runtime: CPython\r
X-Stainless-Runtime-Version: 3.11.4\r
Authorization: Bearer lr_0123456789abcdefghijklmnopqrstuvwxyz\r
X-Stainless-Async: false\r
x-stainless-retry-count: 0\r
x-stainless-read-timeout: 600\r
Content-Length: {length}\r
\r
"""


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Read the body, answer a constant."""
    environ["wsgi.input"].read()
    fields = [("Content-Type", "application/json"), ("Content-Length", str(len(_ANSWER)))]
    start_response("200 OK", fields)
    return [_ANSWER]


def watching_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The same, with a watch for a client that leaves."""
    forget = environ["larouter.on_leave"](app)
    answer = app(environ, start_response)
    forget()
    return answer


def serve_ours(pipe: Connection, wsgi: Any) -> None:
    """Serve with our server until the parent says so."""
    from larouter.web.server import Server

    server = Server(wsgi, hosts=["127.0.0.1"], logger=logging.getLogger("door"))
    port = server.listen("127.0.0.1", 0)
    server.start()
    _report(pipe, port)


def serve_stock(pipe: Connection, wsgi: Any) -> None:
    """Serve with gevent.pywsgi until the parent says so."""
    from gevent.pywsgi import WSGIServer

    server = WSGIServer(("127.0.0.1", 0), wsgi, log=None)
    server.start()
    _report(pipe, int(server.address[1]))


def _report(pipe: Connection, port: int) -> None:
    import gevent
    from gevent.socket import wait_read

    pipe.send(port)
    gevent.sleep(0)
    while True:
        wait_read(pipe.fileno())
        if pipe.recv() == "stop":
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send(used.ru_utime + used.ru_stime)


def drive(port: int, requests: int, connections: int) -> float:
    """Send the requests over that many connections at once; return the wall time."""
    message = _HEAD.format(port=port, length=len(_BODY)).encode() + _BODY
    clients = selectors.DefaultSelector()
    socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for sock in socks:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(message)
        clients.register(sock, selectors.EVENT_READ, (sock, bytearray()))
    sent, answered = connections, 0
    started = time.perf_counter()
    while answered < requests:
        for key, _events in clients.select():
            sock, received = key.data
            received.extend(sock.recv(65536))
            if not received.endswith(_ANSWER):
                continue
            assert received.startswith(b"HTTP/1.1 200")
            received.clear()
            answered += 1
            if sent < requests:
                sock.sendall(message)
                sent += 1
    wall_s = time.perf_counter() - started
    clients.close()
    for sock in socks:
        sock.close()
    return wall_s


def measure(name: str, serve: Any, wsgi: Any, requests: int, connections: int) -> float:
    """Print and return the microseconds of server CPU per request."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, wsgi))
    child.start()
    port = ours.recv()
    drive(port, requests // 10, connections)
    best = float("inf")
    for _ in range(5):
        before = _cpu(ours)
        wall_s = drive(port, requests, connections)
        best = min(best, (_cpu(ours) - before) / requests * 1e6)
    ours.send("stop")
    child.join()
    print(f"{name:28} {best:7.1f} us CPU a request   {requests / wall_s:8.0f} requests/s")
    return best


def _cpu(pipe: Connection) -> float:
    pipe.send("cpu")
    return float(pipe.recv())


def main() -> None:
    """Measure both servers and print the ratio."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    connections = int(sys.argv[2]) if len(sys.argv) > 2 else 16
    ours = measure("larouter.web.server", serve_ours, app, requests, connections)
    measure("  with on_leave", serve_ours, watching_app, requests, connections)
    stock = measure("gevent.pywsgi", serve_stock, app, requests, connections)
    print(f"ratio {stock / ours:.1f}")


if __name__ == "__main__":
    main()
