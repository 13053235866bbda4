"""How fast a model comes, hashed and checked, beside plain curl: on loopback, in turns.

    python benchmarks/download.py [--rounds 5] [--megabytes 1000] [--json]

A hub of its own (a process that sends one file by `sendfile`) serves both. Ours is the worker as
the server starts it, to its last word, with the file in its place, on the disk (fsync) and its
SHA-256 right; curl writes the same bytes to the same disk and checks nothing. Ratios are ours over
curl's, the median of the rounds: once with the worker's start, once from its first word on. CPU
seconds are both programs' own, ours with the start and the hashing.
"""

import argparse
import hashlib
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from larouter.downloads.order import Order, Piece  # noqa: E402
from larouter.downloads.worker import Job  # noqa: E402

NAME, REPO = "model.gguf", "owner/repo"


def serve(path):
    """Answer every request with the whole file, in this process; print the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    size = path.stat().st_size
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_send, args=(connection, path, size), daemon=True).start()


def _send(connection, path, size):
    with connection, path.open("rb") as file:
        while b"\r\n\r\n" not in connection.recv(65536):
            pass
        head = (
            f'HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: "x"\r\nConnection: close\r\n\r\n'
        )
        connection.sendall(head.encode())
        connection.sendfile(file)


def cpu_s():
    """CPU seconds of the children that have ended, ours and curl's; the hub is never one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def by_curl(url, target):
    command = [shutil.which("curl"), "-s", "-o", str(target), f"{url}/{REPO}/resolve/main/{NAME}"]
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started


def by_us(url, folder, size, sha256):
    """Seconds from the start of the worker, and from its first word on."""
    piece = Piece(name=NAME, repo=REPO, bytes=size, sha256=sha256, pinned=True)
    order = Order(id="m", title="m", files=(piece,))
    job = Job(order=order, models=str(folder), endpoint=url)
    started = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "larouter.downloads.worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    child.stdin.write(msgspec.json.encode(job) + b"\n")
    child.stdin.flush()
    child.stdout.readline()
    begun = time.perf_counter()
    last = child.stdout.read().splitlines()[-1]
    ended = time.perf_counter()
    child.wait()
    assert json.loads(last)["end"] == "done", last
    return ended - started, ended - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
    with tempfile.TemporaryDirectory(prefix="larouter-bench-") as name:
        figures = measure(Path(name), options)
    if options.json:
        print(json.dumps(figures))
        return
    for what, value in figures.items():
        print(f"{what:<28} {value}")


def measure(folder, options):
    source = folder / "source"
    block = os.urandom(1_000_000)
    sha256 = hashlib.sha256()
    with source.open("wb") as file:
        for _ in range(options.megabytes):
            file.write(block)
            sha256.update(block)
    size = source.stat().st_size
    command = [sys.executable, __file__, "--serve", str(source)]
    hub = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{hub.stdout.readline().strip()}"
    curl, whole, bare, cpu = [], [], [], []
    try:
        for _ in range(options.rounds + 1):
            at_first = cpu_s()
            curl.append(by_curl(url, folder / "curl"))
            (folder / "curl").unlink()
            between = cpu_s()
            total, moving = by_us(url, folder / "models", size, sha256.hexdigest())
            whole.append(total)
            bare.append(moving)
            cpu.append((between - at_first, cpu_s() - between))
            shutil.rmtree(folder / "models")
    finally:
        hub.kill()
    # The first round warms the disk's cache and is not counted.
    pairs = list(zip(curl[1:], whole[1:], bare[1:], strict=True))
    return {
        "MB": size // 1_000_000,
        "curl MB/s": round(size / 1e6 / statistics.median(curl[1:])),
        "ours MB/s, start included": round(size / 1e6 / statistics.median(whole[1:])),
        "ours MB/s": round(size / 1e6 / statistics.median(bare[1:])),
        "curl CPU s/GB": round(statistics.median(one for one, _ in cpu[1:]) * 1e9 / size, 2),
        "ours CPU s/GB": round(statistics.median(two for _, two in cpu[1:]) * 1e9 / size, 2),
        "ratio, start included": round(statistics.median(a / b for a, b, _ in pairs), 2),
        "ratio": round(statistics.median(a / c for a, _, c in pairs), 2),
    }


if __name__ == "__main__":
    main()
