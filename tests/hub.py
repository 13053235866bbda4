"""A hub on loopback that behaves as it is told: ranges, cuts, lies, refusals, redirects.

    hub.put("owner/repo", "model.gguf", data)
    hub.will("slow", "cut", …)      # the next answers for bytes, one each; then it is good again

It records every request: method, path, headers, and how many bytes of a file went out.
"""

import hashlib
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "a" * 40
_PIECE = 64 * 1024


@dataclass
class File:
    data: bytes
    etag: str
    sha256: str
    lfs: bool = True


@dataclass
class Asked:
    method: str
    path: str
    headers: dict
    sent: int = 0


@dataclass
class Repo:
    files: dict = field(default_factory=dict)
    commit: str = COMMIT


class Hub:
    """Serves from its start to `close`."""

    def __init__(self, storage=None):
        """`storage`: another hub, to which the bytes' requests are redirected."""
        self.repos = {}
        self.asked = []
        self.behaviours: deque = deque()
        self.always = None
        self.storage = storage
        self.rate = None
        """Bytes a second of each answer; None: as fast as it goes."""
        self.ranges = True
        self.gate = threading.Event()
        self.gate.set()
        self.closing = threading.Event()
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.daemon = True
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def put(self, repo, path, data, *, lfs=True, commit=COMMIT):
        """Keep a file; return its SHA-256."""
        sha256 = hashlib.sha256(data).hexdigest()
        entry = self.repos.setdefault(repo, Repo())
        entry.commit = commit
        entry.files[path] = File(data, f'"{sha256[:32]}"', sha256, lfs)
        return sha256

    def will(self, *behaviours):
        """What the next requests for bytes meet, one each."""
        self.behaviours.extend(behaviours)

    def fetches(self):
        """The requests for bytes, without those for metadata."""
        return [one for one in self.asked if "/resolve/" in one.path or "/blob/" in one.path]

    def sent(self):
        return sum(one.sent for one in self.fetches())

    def close(self):
        self.gate.set()
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that leaves is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_):
        pass

    def do_GET(self):
        asked = Asked(self.command, unquote(self.path), dict(self.headers))
        self.hub.asked.append(asked)
        path = urlsplit(self.path).path
        if path.startswith("/api/models/"):
            self._metadata(path)
        elif "/resolve/" in path or path.startswith("/blob/"):
            self._bytes(asked, unquote(path))
        else:
            self._say(404)

    def _metadata(self, path):
        if self.hub.always is not None:
            self._refuse(self.hub.always)
            return
        name = unquote(path.removeprefix("/api/models/")).split("/revision/")[0]
        repo = self.hub.repos.get(name)
        if repo is None:
            self._say(404, X_Error_Code="RepoNotFound")
            return
        siblings = []
        for name_, file in repo.files.items():
            entry = {"rfilename": name_, "size": len(file.data), "blobId": "b" * 40}
            if file.lfs:
                entry["lfs"] = {"size": len(file.data), "sha256": file.sha256, "pointerSize": 134}
            siblings.append(entry)
        body = {"id": name, "sha": repo.commit, "siblings": siblings, "tags": [], "downloads": 0}
        self._say(200, json.dumps(body).encode())

    def _bytes(self, asked, path):
        how = self.hub.behaviours.popleft() if self.hub.behaviours else self.hub.always
        file = self._file(path)
        if file is None:
            self._say(404, X_Error_Code="EntryNotFound")
        elif self.hub.storage is not None and "/resolve/" in path and how is None:
            target = f"{self.hub.storage.url}/blob{path}?X-Signature=secret"
            self._say(302, Location=target, X_Linked_Etag=f'"{file.sha256}"',
                      X_Linked_Size=str(len(file.data)))  # fmt: skip
        elif isinstance(how, tuple | int):
            self._refuse(how)
        else:
            self._file_body(asked, file, how)

    def _file(self, path):
        if path.startswith("/blob"):
            path = path.removeprefix("/blob")
        repo, _, rest = path.lstrip("/").partition("/resolve/")
        found = self.hub.repos.get(repo)
        return found.files.get(rest.partition("/")[2]) if found else None

    def _refuse(self, how):
        status, headers = how if isinstance(how, tuple) else (how, {})
        self._say(status, **headers)

    def _file_body(self, asked, file, how):
        data, start, status = file.data, 0, 200
        total = len(data)
        wanted = self.headers.get("Range")
        tied = self.headers.get("If-Range") in {None, file.etag}
        if wanted and tied and self.hub.ranges and how != "no-range":
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            status = 206
        if start >= total and status == 206:
            self._say(416)
            return
        body = memoryview(data)[start:]
        if how == "corrupt":
            changed = bytearray(body)
            changed[len(changed) // 2] ^= 1
            body = memoryview(bytes(changed))
        announced = len(body) + (7 if how == "wrong-size" else 0)
        self.send_response(status)
        self.send_header("Content-Length", str(announced))
        self.send_header("ETag", file.etag)
        self.send_header("Accept-Ranges", "bytes")
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        end = len(body) // 2 if how in {"cut", "stall"} else len(body)
        self._send(asked, body[:end])
        if how == "stall":
            self.hub.closing.wait(30)
        if how in {"cut", "stall", "wrong-size"}:
            self.close_connection = True

    def _send(self, asked, body):
        at = 0
        while at < len(body):
            self.hub.gate.wait(60)
            piece = body[at : at + _PIECE]
            self.wfile.write(piece)
            at += len(piece)
            asked.sent += len(piece)
            if self.hub.rate:
                time.sleep(len(piece) / self.hub.rate)

    def _say(self, status, body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
