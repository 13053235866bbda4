"""`larouter models load`, `unload` and `bench`, on a real engine."""

import pytest

from larouter.core.errors import LARouterError, Unavailable


@pytest.mark.parametrize("command", ["load", "unload", "bench"])
def test_without_a_server_nothing_is_loaded(alone, command):
    with pytest.raises(Unavailable, match="larouter serve"):
        alone.run("models", command, "smollm2-135m")


@pytest.mark.slow
@pytest.mark.engine
def test_a_model_is_loaded_and_unloaded(at, router):
    cli = at(router)

    timed = cli.lines("models", "bench", "smollm2-135m")
    loaded = cli.run("models", "load", "local/smollm2-135m").stdout
    unloaded = cli.run("models", "unload", "smollm2-135m").stdout

    assert [line.split()[0] for line in timed[-3:]] == ["32", "256", "1,024"]
    assert "smollm2-135m is loaded" in loaded
    assert "8,192 tokens for a request, 8 requests at once" in loaded
    assert "is not in memory" in unloaded


@pytest.mark.slow
@pytest.mark.engine
def test_a_model_that_is_not_here_says_so(at, router):
    with pytest.raises(LARouterError, match="download it first"):
        at(router).run("models", "load", "gemma-4-e2b")
