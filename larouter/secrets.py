"""Provider keys: the system's keyring, else an encrypted file (TRUST S6).

`keys.json` in the data folder (0600) says where each key is. Without a keyring it also holds the
keys, sealed with AES-GCM under a key of its own file: that keeps them out of backups, searches
and screenshots, not from someone who can read the whole folder, and LARouter says so.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from larouter.config import write_private_file
from larouter.core.errors import StorageDown

_SERVICE = "larouter"

logger = logging.getLogger(__name__)


class Vault:
    """Keeps one key for each provider name. Nothing is imported until a key is asked for."""

    def __init__(self, home: Path, *, use_keyring: bool = True) -> None:
        self._index = home / "keys.json"
        self._lock_file = home / "keys.lock"
        self._use_keyring = use_keyring

    def names(self) -> list[str]:
        return sorted(self._read())

    def stamp(self) -> int:
        """When a key was last kept or deleted; 0: never."""
        try:
            return self._index.stat().st_mtime_ns
        except OSError:
            return 0

    def place(self, name: str) -> str | None:
        """Where a key is: `keyring`, `file`, or None where there is none."""
        entry = self._read().get(name)
        if entry is None:
            return None
        return "file" if "sealed" in entry else "keyring"

    def get(self, name: str) -> str | None:
        """None: there is none, or it cannot be read, which must not keep the others waiting."""
        entry = self._read().get(name)
        if entry is None:
            return None
        key = self._unseal(name, entry["sealed"]) if "sealed" in entry else _from_keyring(name)
        if key is None:
            logger.warning("the key of %s cannot be read any more; add it again", name)
        return key

    def set(self, name: str, key: str) -> str:
        """Keep a key; return where: `keyring` or `file`."""
        entries = self._read(for_change=True)
        if self._use_keyring and _in_keyring(name, key):
            entries[name] = {}
            place = "keyring"
        else:
            nonce = secrets.token_bytes(12)
            sealed = nonce + self._cipher().encrypt(nonce, key.encode(), name.encode())
            entries[name] = {"sealed": base64.b64encode(sealed).decode()}
            place = "file"
        self._write(entries)
        return place

    def delete(self, name: str) -> None:
        entries = self._read(for_change=True)
        entry = entries.pop(name, None)
        if entry is None:
            return
        if "sealed" not in entry:
            import keyring  # noqa: PLC0415
            from keyring.errors import KeyringError  # noqa: PLC0415

            with contextlib.suppress(KeyringError):
                keyring.delete_password(_SERVICE, name)
        self._write(entries)

    def _unseal(self, name: str, text: str) -> str | None:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        try:
            sealed = base64.b64decode(text)
            key: bytes = self._cipher().decrypt(sealed[:12], sealed[12:], name.encode())
            return key.decode()
        except (InvalidTag, ValueError):  # another keys.lock, or a file that was cut
            return None

    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        if not self._lock_file.exists():
            write_private_file(self._lock_file, AESGCM.generate_key(256))
        return AESGCM(self._lock_file.read_bytes())

    def _read(self, *, for_change: bool = False) -> dict[str, dict[str, str]]:
        if not self._index.exists():
            return {}
        try:
            entries = json.loads(self._index.read_bytes())
        except (OSError, ValueError):
            entries = None
        if isinstance(entries, dict):
            return entries
        if for_change:
            raise StorageDown(f"{self._index} is damaged; move it away, then give the keys again.")
        logger.warning("%s is damaged, so the keys in it are not used", self._index)
        return {}

    def _write(self, entries: dict[str, dict[str, str]]) -> None:
        write_private_file(self._index, json.dumps(entries, indent=1).encode())


class Keys:
    """Which key a provider gets: the environment's, else the one that was given to keep."""

    def __init__(self, environment: Mapping[str, str], vault: Vault) -> None:
        self._environment = dict(environment)
        self._vault = vault
        self._seen: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<Keys of {', '.join(sorted({*self._environment, *self._vault.names()}))}>"

    def get(self, name: str) -> str | None:
        key = self._environment.get(name) or self._vault.get(name)
        if key:
            self._seen[name] = key
        return key

    def place(self, name: str) -> str:
        """Where the key that is used comes from: `environment`, `keyring`, `file` or `none`."""
        if name in self._environment:
            return "environment"
        return self._vault.place(name) or "none"

    def is_kept(self, name: str) -> bool:
        """Is one kept, whether it is used or the environment's goes before it?"""
        return self._vault.place(name) is not None

    def set(self, name: str, key: str) -> str:
        """Keep a key; return where: `keyring` or `file`."""
        return self._vault.set(name, key)

    def delete(self, name: str) -> None:
        self._vault.delete(name)

    def stamp(self) -> int:
        """Another one whenever a key was kept or deleted, by another process too."""
        return self._vault.stamp()

    def known(self) -> frozenset[str]:
        """Every key that this process has had in hand, for whoever hides them."""
        return frozenset({*self._environment.values(), *self._seen.values()})


def admin_key(home: Path, given: str | None) -> str:
    """The key that administers this server: given, else generated once and kept 0600."""
    if given:
        return given
    path = home / "admin.key"
    if not path.exists() or not path.read_text().strip():
        write_private_file(path, f"lra_{secrets.token_urlsafe(32)}\n".encode())
    return path.read_text().strip()


def _from_keyring(name: str) -> str | None:
    import keyring  # noqa: PLC0415 - slow, and most starts need no key
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        return keyring.get_password(_SERVICE, name)
    except (KeyringError, OSError, RuntimeError):
        return None


def _in_keyring(name: str, key: str) -> bool:
    import keyring  # noqa: PLC0415
    from keyring.errors import KeyringError  # noqa: PLC0415

    # A backend below 1 is a placeholder (`fail`, `null`) or not recommended by its authors.
    if keyring.get_keyring().priority < 1:
        return False
    try:
        keyring.set_password(_SERVICE, name, key)
    except (KeyringError, OSError, RuntimeError):
        return False
    return True
