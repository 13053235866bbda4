"""The entry. gevent is patched here for `serve`, before other imports; workers patch themselves."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["workers"]:
        from larouter.workers import main as arbiter  # noqa: PLC0415 - it patches its children

        arbiter(sys.argv[2:])
        return
    if sys.argv[1:2] == ["serve"]:
        from gevent import monkey  # noqa: PLC0415 - the other commands must not be patched

        monkey.patch_all()
    from larouter.config import use_one_thread  # noqa: PLC0415 - after the patch

    use_one_thread()
    from larouter.cli import run  # noqa: PLC0415 - after the patch

    run()


if __name__ == "__main__":
    main()
