"""The child that reads the head of a model file and says what is in it (TRUST S9).

    python -m larouter.engines.inspect FILE

One JSON object on stdout: the fields of `Head`, or `{"error": …}` with a sentence for people. A
file may be made to confuse whoever reads it, so this process has limits of its own, nothing to
lose, and a parent with a deadline (`larouter.engines.heads`).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from larouter.engines.gguf import NotGGUF, read_head

_CPU_S = 20
_MEMORY_BYTES = 1024**3


def main(arguments: list[str]) -> NoReturn:
    # Ctrl-C in a terminal reaches the whole group; whoever asked knows better when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit()
    try:
        said = asdict(read_head(Path(arguments[0])))
    except NotGGUF as error:
        said = {"error": str(error)}
    except (OSError, ValueError) as error:
        said = {"error": f"The file cannot be read: {getattr(error, 'strerror', None) or error}."}
    except MemoryError:
        said = {"error": "The head of the file takes more memory than any model's does."}
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
    os._exit(1 if "error" in said else 0)


def _limit() -> None:
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
        # Nothing large is mapped here, unlike in an engine (TRUST A10).
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


if __name__ == "__main__":
    main(sys.argv[1:])
