"""Signatures of thoughts: a fake accepts the ones that it issued, byte for byte, and no other."""

import base64
import hashlib
import secrets


class Signatures:
    """Issues what looks encrypted, and remembers what it stands for."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(16)
        self._issued: dict[bytes, str] = {}

    def issue(self, text: str, prefix: bytes = b"") -> str:
        """A signature of this text in standard base64; the same text has one signature."""
        digest = hashlib.sha512(self._secret + text.encode()).digest()
        signature = prefix + digest + hashlib.sha512(digest).digest()
        self._issued[signature] = text
        return base64.b64encode(signature).decode()

    def text(self, signature: object) -> str | None:
        """What was signed; None if it was not issued here."""
        data = decoded(signature)
        return None if data is None else self._issued.get(data)


def decoded(signature: object) -> bytes | None:
    """Bytes of standard or URL-safe base64, padded or not; None if it is neither."""
    if not isinstance(signature, str):
        return None
    text = signature.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return None
