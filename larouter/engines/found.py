"""Model files that other programs left on this machine: looked for by name, never opened.

Ollama keeps a file for each digest and says in manifests what it is called; the Hugging Face cache
links names to such files; LM Studio and llama.cpp keep plain ones. A digest in a name is a claim:
whoever imports the file hashes it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MOST = 1_000
"""Of each program; and of folders ten times as many are looked through."""
_DEEP = 6
_MANIFEST_BYTES = 1024 * 1024
_LEAST_BYTES = 1024 * 1024
"""Smaller files are vocabularies without a model."""
_WEIGHTS = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_HASH = re.compile(r"[0-9a-f]{64}")
_LIBRARY = ("registry.ollama.ai", "library")
_PART = re.compile(r"-\d{5}-of-\d{5}\.gguf$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One of them."""

    path: str
    program: str
    """`ollama`, `lm-studio`, `hugging-face` or `llama.cpp`."""
    name: str
    """What that program calls it."""
    bytes: int
    sha256: str | None = None
    """What its name claims; None: nothing."""


def find_files(folders: Mapping[str, Sequence[Path]]) -> list[Found]:
    """All that is in these folders, by program. A folder that is not there has nothing."""
    found: dict[str, Found] = {}
    for program, places in folders.items():
        look = _ollama if program == "ollama" else _plain
        for place in places:
            for number, row in enumerate(look(program, place)):
                if number >= _MOST:
                    break
                if not row.path.isprintable():
                    continue  # no JSON and no terminal can show it
                # Two names of one file are one file.
                found.setdefault(row.path, row)
    return sorted(found.values(), key=lambda row: (row.program, row.name))


def _ollama(program: str, folder: Path) -> Iterator[Found]:
    manifests = folder / "manifests"
    for path in _walk(manifests):
        digest = _weights_of(path)
        if digest is None:
            continue
        blob = folder / "blobs" / f"sha256-{digest}"
        size = _size(blob)
        if size is not None:
            name = _ollama_name(path.relative_to(manifests).parts)
            yield Found(
                path=str(blob.resolve()), program=program, name=name, bytes=size, sha256=digest
            )


def _weights_of(manifest: Path) -> str | None:
    """The digest of the weights that a manifest names."""
    try:
        if manifest.stat().st_size > _MANIFEST_BYTES:
            return None
        layers: Any = json.loads(manifest.read_bytes())["layers"]
        named = next(row["digest"] for row in layers if row["mediaType"] == _WEIGHTS)
        match = _DIGEST.fullmatch(named)
    except (OSError, ValueError, KeyError, TypeError, StopIteration, RecursionError):
        return None
    return match.group(1) if match else None


def _ollama_name(parts: tuple[str, ...]) -> str:
    """As `ollama list` shows it: without its own registry."""
    kept = parts[2:] if parts[:2] == _LIBRARY else parts
    return ":".join(("/".join(kept[:-1]), kept[-1])) if len(kept) > 1 else kept[0]


def _plain(program: str, folder: Path) -> Iterator[Found]:
    for path in _walk(folder):
        if path.suffix.lower() != ".gguf" or _PART.search(path.name):
            continue
        size = _size(path)
        if size is None:
            continue
        real = path.resolve()
        claimed = real.name if path.is_symlink() and _HASH.fullmatch(real.name) else None
        yield Found(path=str(real), program=program, name=path.name, bytes=size, sha256=claimed)


def _walk(folder: Path) -> Iterator[Path]:
    """Files below a folder, not too deep and not too many; links to folders are not followed."""
    for looked, (place, folders, names) in enumerate(os.walk(folder)):
        if looked >= 10 * _MOST:
            return
        if len(Path(place).relative_to(folder).parts) >= _DEEP:
            folders.clear()
        folders.sort()
        for name in sorted(names):
            yield Path(place, name)


def _size(path: Path) -> int | None:
    try:
        size = path.stat().st_size
    except OSError:
        return None
    return size if path.is_file() and size >= _LEAST_BYTES else None
