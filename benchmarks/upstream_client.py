"""Which HTTP client for the hot path? One keep-alive POST against a fake upstream, in one run.

    python benchmarks/upstream_client.py [--calls 4000]

Prints the CPU time of this process per call at 1 and 16 connections, and the ratio to ours. The
fake upstream runs in a process of its own, so its time does not count.
"""

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import http.client  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import geventhttpclient  # noqa: E402
import urllib3  # noqa: E402
from gevent.pool import Pool as Greenlets  # noqa: E402
from gevent.queue import Queue  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from larouter.providers.connection import Origin  # noqa: E402
from larouter.providers.pool import Pool  # noqa: E402

PATH = "/v1/chat/completions"
BODY = b'{"model":"fake","messages":[{"role":"user","content":"' + b"word " * 40 + b'"}]}'
HEADERS = {"authorization": "Bearer sk-fake", "content-type": "application/json"}
ANSWER = b'{"id":"x","choices":[{"message":{"content":"' + b"word " * 60 + b'"}}]}'

UPSTREAM = """
import socket, sys, threading
answer = sys.stdin.buffer.read()
head = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n"
reply = head + b"Content-Length: %d\\r\\n\\r\\n" % len(answer) + answer
listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print(listener.getsockname()[1], flush=True)
def serve(client):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    while True:
        piece = client.recv(65536)
        if not piece:
            return
        data += piece
        head, found, rest = data.partition(b"\\r\\n\\r\\n")
        if found:
            length = head.lower().partition(b"content-length:")[2].split(b"\\r\\n")[0]
            if len(rest) >= int(length):
                data = b""
                client.sendall(reply)
while True:
    client, _ = listener.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
"""


def ours(port):
    pool, origin = Pool(), Origin("http", "127.0.0.1", port)
    head = f"POST {PATH} HTTP/1.1\r\nHost: {origin.authority}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())

    def call():
        connection = pool.take(origin)
        connection.send(f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY)
        connection.read_head(5)
        body = connection.read_body()
        pool.give_back(connection, origin)
        return body

    return call


def gevent_client(port):
    client = geventhttpclient.HTTPClient("127.0.0.1", port, concurrency=16)

    def call():
        response = client.post(PATH, body=BODY, headers=HEADERS)
        return bytes(response.read())

    return call


def urllib3_client(port):
    pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=16)

    def call():
        return pool.urlopen("POST", PATH, body=BODY, headers=HEADERS).data

    return call


def standard(port):
    idle = Queue()

    def call():
        client = idle.get() if idle.qsize() else http.client.HTTPConnection("127.0.0.1", port)
        client.request("POST", PATH, body=BODY, headers=HEADERS)
        body = client.getresponse().read()
        idle.put(client)
        return body

    return call


def measure(call, calls, connections):
    for _ in range(50):
        assert call() == ANSWER
    greenlets = Greenlets(connections)
    share = calls // connections
    before = time.process_time()
    for _ in range(connections):
        greenlets.spawn(lambda: [call() for _ in range(share)])
    greenlets.join()
    return (time.process_time() - before) / (share * connections) * 1e6


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=4000)
    calls = options.parse_args().calls
    upstream = subprocess.Popen(
        [sys.executable, "-c", UPSTREAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    upstream.stdin.write(ANSWER)
    upstream.stdin.close()
    port = int(upstream.stdout.readline())
    clients = {
        "ours": ours(port),
        "geventhttpclient": gevent_client(port),
        "urllib3": urllib3_client(port),
        "http.client": standard(port),
    }
    try:
        for connections in (1, 16):
            figures = {name: measure(call, calls, connections) for name, call in clients.items()}
            for name, figure in figures.items():
                ratio = figure / figures["ours"]
                print(f"{connections:>3} connections  {name:<18} {figure:7.1f} µs  {ratio:4.1f}x")
    finally:
        upstream.kill()


if __name__ == "__main__":
    main()
