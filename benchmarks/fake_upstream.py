"""A fake OpenAI upstream that costs next to nothing. Prints its port, serves until it is killed.

A request's own `events` and `pause_ms` say how many events a stream has and how they are spaced.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import socket  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402

ANSWER = json.dumps(
    {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "word " * 60},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 50, "completion_tokens": 60, "total_tokens": 110},
    },
    separators=(",", ":"),
).encode()
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(ANSWER),
    ANSWER,
)
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(delta, finish=None, **more):
    event = {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "fake",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }
    data = b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


FIRST = chunk({"role": "assistant", "content": ""})
WORD = chunk({"content": " word"})
LAST = chunk({}, "stop", usage={"prompt_tokens": 50, "completion_tokens": 60, "total_tokens": 110})
DONE = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


def stream(client, events, pause_s):
    client.sendall(STREAM + FIRST)
    due = time.perf_counter()
    for _ in range(events):
        if pause_s:
            due += pause_s
            gevent.sleep(max(0, due - time.perf_counter()))
        client.sendall(WORD)
    client.sendall(LAST + DONE)


def serve(client):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    while piece := client.recv(65536):
        data += piece
        head, found, body = data.partition(b"\r\n\r\n")
        if not found:
            continue
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        if len(body) < length:
            continue
        data = b""
        asked = json.loads(body)
        if asked.get("stream"):
            stream(client, asked.get("events", 20), asked.get("pause_ms", 0) / 1000)
        else:
            client.sendall(WHOLE)


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        gevent.spawn(serve, client)


if __name__ == "__main__":
    main()
