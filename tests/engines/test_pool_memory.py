"""What an engine holds in memory, for whoever watches this machine."""

import psutil

from larouter.core.catalog import Model, ModelFile
from tests.engines.test_pool import FAKE, until


def test_what_an_engine_holds_is_known_while_it_is_there(make_pool, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "good.gguf").write_bytes(b"weights")
    model = Model(id="good", name="good", provider="local", file=ModelFile(name="good.gguf"))
    pool = make_pool(python=FAKE)

    assert pool.memory_bytes(model) is None
    pool.ensure_ready(model)
    assert pool.memory_bytes(model) > 1_000_000
    psutil.Process(pool.ready(model).pid).kill()
    until(lambda: pool.memory_bytes(model) is None)
