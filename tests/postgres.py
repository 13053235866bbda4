"""A PostgreSQL server of the tests' own: in a temporary folder, on a socket that only they know."""

import contextlib
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

from larouter.store.postgres import Postgres
from larouter.store.schema import migrate
from larouter.store.tables import Row

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_FAST = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=60",
         "listen_addresses=", "autovacuum=off")  # fmt: skip
_START_S = 60


def program(name):
    """Where `initdb` or `postgres` is; None: there is no PostgreSQL here."""
    places = [shutil.which(name), *(str(place / name) for place in _PLACES)]
    return next((place for place in places if place and Path(place).exists()), None)


@contextlib.contextmanager
def server():
    """Yield a function from a database's name to its address. It ends with whoever started it."""
    folder = Path(tempfile.mkdtemp(prefix="lr-pg-", dir="/tmp"))  # a socket's path is short
    user = _user(folder)
    data = folder / "data"
    _run(user, program("initdb"), "-D", str(data), "-U", "larouter", "--auth=trust",
         "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
    options = [part for option in (*_FAST, f"unix_socket_directories={folder}")
               for part in ("-c", option)]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*_as(user), program("postgres"), "-D", str(data), *options],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip

    def address(name):
        return f"postgresql://larouter@/{name}?host={folder}"

    try:
        _wait(address("postgres"), process)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def create(address, name):
    """A new, empty database."""
    connection = Postgres(address("postgres")).connect()
    with contextlib.closing(connection):
        connection.execute(f"CREATE DATABASE {name}")
    return Postgres(address(name))


def another(database, name):
    """A new, empty database beside this one."""
    return create(lambda other: database.url.replace("/larouter?", f"/{other}?"), name)


def empty(database):
    """No rows, and ids that begin at 1; what a test has broken is made anew."""
    names = {*Row.metadata.tables}
    with contextlib.closing(database.connect()) as connection:
        broken = (database.tables() or set()) - {"alembic_version"} != names
        connection.execute(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
            if broken
            else f"TRUNCATE {', '.join(sorted(names))} RESTART IDENTITY CASCADE"
        )
    migrate(database)


def _user(folder):
    """PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o711)
    return user


def _as(user):
    ends = ["setpriv", "--pdeathsig", "INT"]
    if user is None:
        return ends if shutil.which("setpriv") else []
    return [*ends, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _run(user, *command):
    result = subprocess.run([*_as(user), *command], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def _wait(address, process):
    deadline = time.monotonic() + _START_S
    while True:
        try:
            Postgres(address).connect().close()
            return
        except sqlite3.OperationalError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
