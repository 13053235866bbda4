"""Stands in for the worker in the tests of its parent: does as the model's id says.

Started as `python children.py -m larouter.engines.worker --model FILE --alias ID …`.
"""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Engine(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[]" if self.path == "/slots" else b"{}")

    def log_message(self, *_):
        pass


def tell(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def log(line):
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def leave_with_parent():
    sys.stdin.read()
    os._exit(0)


def serve():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    tell({"port": server.server_port, "n_ctx": 1, "total": 2, "slots": 3, "engine": "fake"})
    server.serve_forever()


def main():
    alias = sys.argv[sys.argv.index("--alias") + 1]
    key = json.loads(sys.stdin.readline())["key"]
    if "leak" in alias:
        Path(sys.argv[sys.argv.index("--model") + 1]).with_suffix(".seen").write_text(
            json.dumps(
                {
                    "environment": dict(os.environ),  # noqa: TID251 - what it was given
                    "arguments": sys.argv,
                    "key": key,
                }
            )
        )
    if "stubborn" not in alias:
        threading.Thread(target=leave_with_parent, daemon=True).start()
    if "slow" in alias:
        time.sleep(0.3)
    if "silent" in alias or "stubborn" in alias:
        time.sleep(60)
    if "crash" in alias:
        log("something went wrong in /a/path")
        os._exit(7)
    if "damaged" in alias:
        tell({"error": "damaged", "message": "not what it should be"})
        os._exit(1)
    if "deaf" in alias:
        tell({"port": 9, "n_ctx": 1, "total": 2, "slots": 3, "engine": "fake"})
        time.sleep(60)
    serve()


if __name__ == "__main__":
    main()
