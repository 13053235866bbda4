"""Where the server of a data folder is, for commands and a second start."""

from __future__ import annotations

import json
import os
import secrets

from larouter.config import Settings, write_private_file

WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound


def authority(host: str, port: int) -> str:
    """Where a client on this machine reaches a server that listens on `host`."""
    if host in WILDCARDS:
        host = "::1" if host == "::" else "127.0.0.1"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def write_runtime(settings: Settings, address: str, *, pid: int | None = None) -> None:
    """`address` is host and port, `pid` whom to stop; None: this process."""
    host, _, port = address.rpartition(":")
    runtime = {
        "host": host,
        "port": int(port),
        "pid": pid or os.getpid(),
        "nonce": secrets.token_hex(16),
    }
    write_private_file(settings.runtime_file, json.dumps(runtime).encode())


def running_address(settings: Settings) -> str:
    """What to tell whoever starts a second server."""
    try:
        runtime = json.loads(settings.runtime_file.read_text())
        return f"LARouter is already running at http://{runtime['host']}:{runtime['port']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "LARouter is already starting with this data folder."
