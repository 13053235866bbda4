"""An upstream on loopback and a provider that calls it, patient for seconds at most."""

import threading
from types import SimpleNamespace

import pytest

from larouter.core.catalog import Model
from larouter.core.ports import Leaving
from larouter.core.turns import Turns
from larouter.providers.connection import Timeouts
from larouter.providers.http import HttpProvider
from larouter.providers.pool import Pool
from larouter.wire.road import Quirks
from tests.fakes import a_request
from tests.upstream import Upstream

KEY = "sk-canary-0123456789"
TIMEOUTS = Timeouts(connect=2, tls=2, first_byte=5, idle=5, total=20)


@pytest.fixture
def upstream():
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture(scope="session")
def shared_pool():
    """One for all tests that say nothing about it: each upstream has a port of its own. A pool
    has a thread, and on Python 3.11 many threads that end at once can hang a traced process."""
    pool = Pool(timeouts=TIMEOUTS)
    yield pool
    pool.close()


@pytest.fixture
def make_pool():
    """Make a pool whose connections are closed at the end of the test."""
    pools = []

    def make(**options):
        pools.append(Pool(**{"timeouts": TIMEOUTS, **options}))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def make_cloud(upstream, shared_pool, make_pool):
    """Make a provider that calls the upstream, and how to ask it; a reply left open is closed."""
    replies = []

    def make(*, url=None, key=KEY, pool=None, **timeouts):
        waiting = []
        if pool is None:
            pool = make_pool(timeouts=Timeouts(**timeouts)) if timeouts else shared_pool
        provider = HttpProvider(
            name="cloud", url=url or upstream.url, key=key, needs_key=True, quirks=Quirks(),
            wires=("chat",), turns=Turns(), pool=pool,
            later=lambda seconds, callback: waiting.append((seconds, callback)),
        )  # fmt: skip
        leaving = Leaving()

        def ask(text="hello", **fields):
            request = a_request(text, **fields)
            reply = provider.call(Model(id="m", name="m", provider="cloud"), request, leaving)
            replies.append(reply)
            return reply

        return SimpleNamespace(
            provider=provider, pool=pool, ask=ask, leaving=leaving, waiting=waiting
        )

    yield make
    for reply in replies:
        reply.close()


@pytest.fixture
def cloud(make_cloud):
    return make_cloud()


@pytest.fixture
def after():
    """Do something a little later, in another thread."""
    timers = []

    def start(seconds, callback):
        timers.append(threading.Timer(seconds, callback))
        timers[-1].start()

    yield start
    for timer in timers:
        timer.join()
