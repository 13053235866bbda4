"""Small GGUF files with everything in them but sense."""

import struct
from pathlib import Path

WEIGHTS = 64


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def fact(key, value):
    """Texts and whole numbers."""
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    return text(key) + struct.pack("<II", 4, value)


def model_file(path, *, tensors=1, salt=0, **facts):
    """Write a model of one tensor; `facts` go in with `__` for a dot. Two with different `salt`
    differ in their weights alone."""
    stated = {
        "general__architecture": "llama",
        "general__name": "My Model",
        "llama__context_length": 4096,
        "llama__block_count": 2,
        **facts,
    }
    pairs = [fact(key.replace("__", "."), value) for key, value in stated.items()]
    described = b"GGUF" + struct.pack("<IQQ", 3, tensors, len(pairs)) + b"".join(pairs)
    for number in range(tensors):
        described += text(f"w{number}") + struct.pack("<IQIQ", 1, WEIGHTS, 0, 0)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(described + b"\0" * (-len(described) % 32) + bytes([salt]) * WEIGHTS * 4)
    return path
