"""A catalogue with one more local model, which a fake hub has."""

from larouter.config import folder
from tests.hub import COMMIT

REPO = "someone/some-model-gguf"
ROW = """
[[model]]
id = "{id}"
provider = "local"
title = "Some model"
context = 8192
source = "a test"
checked = 2026-11-23

[model.file]
name = "{name}"
bytes = {bytes}
sha256 = "{sha256}"
repo = "{repo}"
revision = "{revision}"
"""


def offer(hub, home, data, *, model="some-model", name="some-model.gguf"):
    """Put a file into the hub and a row into the catalogue of a data folder."""
    sha256 = hub.put(REPO, name, data)
    kept = home / "catalog.toml"
    home.mkdir(exist_ok=True)
    before = kept if kept.exists() else folder("data") / "catalog.toml"
    row = ROW.format(
        id=model, name=name, bytes=len(data), sha256=sha256, repo=REPO, revision=COMMIT
    )
    kept.write_text(before.read_text("utf-8") + row, "utf-8")
