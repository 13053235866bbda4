"""The entry. gevent is patched here and nowhere else, before other imports, for `serve` only."""

from __future__ import annotations

import os
import sys

# Read by numpy's library as it is loaded. The classifier's products are small: a pool of threads
# beside many greenlets would cost more than it brings.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # noqa: TID251 - it must come before all imports


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["serve"]:
        from gevent import monkey  # noqa: PLC0415 - the other commands must not be patched

        monkey.patch_all()
    from larouter.cli import run  # noqa: PLC0415 - after the patch

    run()


if __name__ == "__main__":
    main()
