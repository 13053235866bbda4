"""The child process: one model, served by xllamacpp on a loopback port of its own.

    python -m larouter.engines.worker --model FILE --alias ID [--sha256 HEX]

Its parent speaks to it by three pipes:

- stdin: one JSON line, `{"key": "…"}`, then nothing; its end means that the parent is gone;
- stdout: one JSON line, `{"port": …}` when ready or `{"error": …}`, then nothing; its end means
  that this process is gone;
- stderr: the engine's log.

The key is on stdin because a command line is public on most systems. It runs at a lower
priority, so that the parent always gets the processor first.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import select
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any, NoReturn

import psutil

from larouter.engines.gguf import Head, NotGGUF, read_head
from larouter.engines.templates import with_tools

_NICENESS = 2
"""Enough for the parent to be woken first; with more, a busy machine would starve the model."""
_HTTP_THREADS = 128
"""Each open connection holds one, also while it waits for a slot."""
_ERRORS = 1
"""Of its log: the warnings quote what clients have sent."""
_BATCH = 512 if sys.platform == "darwin" else 128
"""Prompt tokens worked on in one go. Nobody else gets a token in the meantime and no cancelled
request is noticed, so it is small; on a processor that costs no speed, on Metal it would."""
_DAMAGED = "damaged"
_FAILED = "failed"


def main(arguments: list[str] | None = None) -> NoReturn:
    # Ctrl-C in a terminal reaches the whole group; the server drains and then ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    options = _parse(arguments)
    report = _take_stdout()
    key = _read_key()
    _die_with_parent()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    if options.sha256 and _digest(options.model) != options.sha256:
        _fail(report, _DAMAGED, "The file's SHA-256 is not the one that its publisher states.")
    try:
        head = read_head(options.model)
    except (OSError, NotGGUF) as error:
        _fail(report, _DAMAGED, str(error))
    context = _context(head, options.context)
    params = _params(options, key, head, context["total"])
    server = _serve(report, params)
    ready = {"port": int(server.listening_address.rpartition(":")[2]), **context}
    _tell(report, {**ready, "slots": options.slots, "engine": _engine()})
    # The server runs in threads of its own. Python has nothing to do but to wait for the end.
    threading.Event().wait()
    os._exit(0)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="larouter.engines.worker", allow_abbrev=False)
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file")
    parser.add_argument("--alias", required=True, help="what answers call the model")
    parser.add_argument("--sha256", help="check the file before it is loaded")
    parser.add_argument("--slots", type=int, default=8, help="requests worked on at once")
    parser.add_argument("--context", type=int, default=32_768, help="tokens, all slots together")
    parser.add_argument("--cache", type=int, default=512, help="MiB for beginnings of prompts")
    parser.add_argument("--threads", type=int, default=_threads(), help="for one model")
    return parser.parse_args(arguments)


def _params(options: argparse.Namespace, key: str, head: Head, total_context: int) -> Any:
    import xllamacpp  # noqa: PLC0415 - the file is checked first; a bad one need not wait for it

    params = xllamacpp.CommonParams()
    params.verbosity = _ERRORS
    params.model.path = str(options.model)
    params.model_alias = {options.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.cors_origins = ""
    params.ui = False
    params.use_jinja = True
    params.chat_template = with_tools(head.template)
    params.n_parallel = options.slots
    params.n_ctx = total_context
    params.n_batch = _BATCH
    params.n_ubatch = _BATCH
    # One store of keys and values for all, so that a lone request may use the whole of it.
    params.kv_unified = True
    params.cont_batching = True
    params.cache_prompt = True
    params.cache_ram_mib = options.cache
    params.n_threads_http = _HTTP_THREADS
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = options.threads
        cpu.poll = 0
    if sys.platform != "darwin":
        # The engine arranges Q4_0 weights anew for the processor. Of a mapped file both would stay
        # in memory: 252 MB of a model for which reading it takes 196 MB.
        params.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    # Both make every start longer; the first request warms the model just as well.
    params.warmup = False
    params.fit_params = False
    return params


def _serve(report: IO[str], params: Any) -> Any:
    import xllamacpp  # noqa: PLC0415 - as above

    try:
        return xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        _fail(report, _FAILED, str(error))


def _threads() -> int:
    """One per physical core, but one core is left to the desktop where there are more than two.

    The threads of a model wait for each other hundreds of times a token. By default they wait
    actively, so a program that takes a core from one of them halts them all: two threads on two
    cores beside light work made 3 tokens a second of the starter model. Waiting asleep (`poll`
    0) they made 91, one thread 50; with both cores taken by others, about as many as one thread.
    """
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    return cores - 1 if cores > 2 else cores


def _context(head: Head, limit: int) -> dict[str, int]:
    """Room for two conversations of full length, within the limit; each may take all of its own.

    More room costs memory and time at every start, as it is laid out in full. Requests that
    outgrow it together are ended with an error, all of them.
    """
    trained = head.context or limit
    total = min(2 * trained, limit)
    return {"total": total, "n_ctx": min(trained, total)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _engine() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - the build itself reports `b0-unknown`

    return f"xllamacpp {version('xllamacpp')}"


def _take_stdout() -> IO[str]:
    """Keep stdout for the one line to the parent; whatever a library prints goes to the log."""
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return report


def _tell(report: IO[str], line: dict[str, Any]) -> None:
    report.write(json.dumps(line) + "\n")
    report.flush()


def _fail(report: IO[str], kind: str, message: str) -> NoReturn:
    with contextlib.suppress(OSError):
        _tell(report, {"error": kind, "message": message})
    os._exit(1)


def _read_key() -> str:
    line = b""
    # Byte by byte: what a buffered reader takes too much of, the watch below would not see.
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            os._exit(0)
        line += byte
    key: str = json.loads(line)["key"]
    return key


def _die_with_parent() -> None:
    """Leave when stdin ends: the parent closed it, or died, even by SIGKILL.

    A thread alone is not enough, because loading a model holds Python's lock for seconds. So the
    kernel is asked to signal this process when anything happens on the pipe; left alone, SIGIO
    ends a process. Linux's PR_SET_PDEATHSIG is not used: it fires when the *thread* that
    started the child ends.
    """
    threading.Thread(target=_leave_at_end_of_input, name="parent-watch", daemon=True).start()
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGIO})
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([0], [], [], 0)[0]:
        # It ended before the signal was armed.
        os._exit(0)


def _leave_at_end_of_input() -> None:
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    main()
