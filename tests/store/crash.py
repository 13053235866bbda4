"""A process to be killed: writes requests down until somebody ends it.

Started as `python crash.py DATABASE`, it prints what is committed, once it is: `reserved ID`,
`settled ID`. Attempts of one greenlet are only ever reserved; the others settle what they reserve.
"""

import sys
from pathlib import Path

import gevent

from larouter.store.feed import Feed
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.rollups import Rollups
from larouter.store.runs import Run
from larouter.store.sqlite import SqliteFile
from larouter.store.writer import Writer
from tests.store.bills import MODELS, Book


def tell(word, attempt):
    sys.stdout.write(f"{word} {attempt.request.id}\n")
    sys.stdout.flush()


def work(book, name, settles):
    for number in range(1_000_000):
        attempt = book.reserve(id=f"req_{name}_{number:08}")
        tell("reserved", attempt)
        if settles:
            book.settle(attempt)
            tell("settled", attempt)
        else:
            gevent.sleep(0.005)


def main():
    writer = Writer(SqliteFile(Path(sys.argv[1])))
    prices = record_prices(writer, MODELS)
    writer.batch = rollups = Rollups(lambda project_id: "UTC")
    run = Run(writer, rollups)
    ledger = Ledger(writer, run_id=run.id, price_versions=prices, feed=Feed(), rollups=rollups)
    book = Book(writer, ledger)
    gevent.joinall([gevent.spawn(work, book, n, n > 0) for n in range(8)], raise_error=True)


if __name__ == "__main__":
    main()
