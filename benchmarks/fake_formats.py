"""A fake upstream in four formats that costs next to nothing; streams are slow on purpose.

Prints its port and serves until it is killed. The path says which format is spoken. The first word
of a stream is the time at which it was sent, `sent-at NANOSECONDS`; a second one follows later.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import re  # noqa: E402
import socket  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402

BEFORE_S, AFTER_S = 0.3, 0.3
WORDS = "word " * 60
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

_RESPONSE = {
    "id": "resp_1", "object": "response", "created_at": 1, "model": "fake", "status": "completed",
    "output": [
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": WORDS, "annotations": []}]}
    ],
    "usage": {"input_tokens": 50, "output_tokens": 60, "total_tokens": 110},
}  # fmt: skip
_ANTHROPIC = {"input_tokens": 50, "output_tokens": 60}
_GEMINI = {"promptTokenCount": 50, "candidatesTokenCount": 60, "totalTokenCount": 110}
_CHAT = {"prompt_tokens": 50, "completion_tokens": 60, "total_tokens": 110}
WHOLE = {
    b"chat": {
        "id": "c", "object": "chat.completion", "created": 1, "model": "fake", "usage": _CHAT,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": WORDS},
                     "finish_reason": "stop"}],
    },
    b"responses": _RESPONSE,
    b"messages": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "fake",
        "content": [{"type": "text", "text": WORDS}], "stop_reason": "end_turn",
        "stop_sequence": None, "usage": _ANTHROPIC,
    },
    b"models": {
        "candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": WORDS}]},
                        "finishReason": "STOP"}],
        "usageMetadata": _GEMINI, "responseId": "r", "modelVersion": "fake",
    },
}  # fmt: skip


def sse(event, name=None):
    head = b"event: %b\n" % name.encode() if name else b""
    return head + b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"


def _chat(delta, finish=None, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return sse({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "fake",
                "choices": [choice], **more})  # fmt: skip


def _messages(kind, **fields):
    return sse({"type": kind, **fields}, kind)


def parts(path, text):
    """What a stream begins with, one word, and its end."""
    if path == b"chat":
        return (
            _chat({"role": "assistant", "content": ""}), _chat({"content": text}),
            _chat({}, "stop", usage=_CHAT) + b"data: [DONE]\n\n",
        )  # fmt: skip
    if path == b"messages":
        message = {**WHOLE[b"messages"], "content": [], "stop_reason": None}
        block = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": text}
        return (
            _messages("message_start", message=message)
            + _messages("content_block_start", index=0, content_block=block),
            _messages("content_block_delta", index=0, delta=delta),
            _messages("content_block_stop", index=0)
            + _messages("message_delta", delta={"stop_reason": "end_turn"}, usage=_ANTHROPIC)
            + _messages("message_stop"),
        )
    if path == b"models":
        said = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}}
        last = {"index": 0, "finishReason": "STOP"}
        return (
            b"",
            sse({"candidates": [said]}),
            sse({"candidates": [last], "usageMetadata": _GEMINI}),
        )
    started = {**_RESPONSE, "status": "in_progress", "output": [], "usage": None}
    delta = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": text}
    return (
        _numbered(0, "response.created", response=started),
        _numbered(1, "response.output_text.delta", **delta),
        _numbered(2, "response.completed", response=_RESPONSE),
    )


def _numbered(number, kind, **fields):
    return sse({"type": kind, "sequence_number": number, **fields}, kind)


def chunked(data):
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def stream(client, path):
    first, _, last = parts(path, "")
    client.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunked(first)
    )
    gevent.sleep(BEFORE_S)
    client.sendall(chunked(parts(path, f"sent-at {time.time_ns()} ")[1]))
    gevent.sleep(AFTER_S)
    client.sendall(chunked(last) + b"0\r\n\r\n")


WRITTEN = {}
for _path, _answer in WHOLE.items():
    _body = json.dumps(_answer, separators=(",", ":")).encode()
    WRITTEN[_path] = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (len(_body), _body)
    )


def serve(client):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    while piece := client.recv(262_144):
        data += piece
        head, found, body = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if found else None
        if length is None or len(body) < int(length[1]):
            continue
        data = b""
        path = next(name for name in WHOLE if b"/" + name in head.partition(b" HTTP")[0])
        if b'"stream":true' in body or b":streamGenerate" in head:
            stream(client, path)
        else:
            client.sendall(WRITTEN[path])


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        gevent.spawn(serve, client)


if __name__ == "__main__":
    main()
