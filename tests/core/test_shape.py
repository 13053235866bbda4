"""What a model keeps of each token: checked against what engines have said they laid out."""

import pytest

from larouter.core.shape import Load, Shape
from tests.web.pages.fakes import shipped_catalog

MIB = 2**20


def shape_of(name):
    return shipped_catalog().models[name].shape


def full(name, tokens):
    return shape_of(name).full_token_bytes * tokens


def test_full_layers_are_what_llama_cpp_laid_out_for_e4b():
    # ggml-org/llama.cpp issue 21730: "size = 2048.00 MiB (131072 cells, 4 layers)"
    assert shape_of("gemma-4-e4b").full_layers == 4
    assert full("gemma-4-e4b", 131_072) == 2048 * MIB


def test_sliding_layers_are_what_llama_cpp_laid_out_for_e4b():
    # ggml-org/llama.cpp issue 24376: "size = 120.00 MiB (3072 cells, 20 layers)"
    assert shape_of("gemma-4-e4b").sliding_layers == 20
    assert shape_of("gemma-4-e4b").sliding_token_bytes * 3072 == 120 * MIB


def test_the_window_of_one_request_is_laid_out_as_llama_cpp_does():
    # Issue 21730 again: one request, batches of 512: "creating SWA KV cache, size = 1024 cells"
    load = Load(context=131_072, slots=1, batch=512)

    assert shape_of("gemma-4-e4b").window_cells(load) == 1024


def test_a_token_of_12b_grows_by_what_another_engine_measured():
    # raullenchai/Rapid-MLX pull request 1423: 16 KB a token
    assert shape_of("gemma-4-12b").full_token_bytes == 16 * 1024


@pytest.mark.parametrize(
    ("name", "told"),
    [("gemma-4-e2b", 10.5e6), ("gemma-4-e4b", 29.4e6), ("gemma-4-26b-a4b", 83.9e6)],
)
def test_a_thousand_tokens_stay_below_the_figures_that_were_noted_before(name, told):
    # Those count every sixth layer in full, with the heads of the sliding ones, and forget that
    # some keep nothing: upper bounds. What was really laid out (above) lies at 24 to 60 % of them.
    grown = full(name, 1024)

    assert 0.24 * told < grown < 0.61 * told


@pytest.mark.parametrize(
    ("name", "full_layers", "sliding_layers"),
    [
        ("smollm2-135m", 30, 0),
        ("gemma-4-e2b", 3, 12),
        ("gemma-4-12b", 8, 40),
        ("gemma-4-26b-a4b", 5, 25),
    ],
)
def test_layers_that_keep_something(name, full_layers, sliding_layers):
    shape = shape_of(name)

    assert (shape.full_layers, shape.sliding_layers) == (full_layers, sliding_layers)


def test_a_model_without_windows_lays_out_none():
    plain = Shape(layers=2, heads=3, head_dim=64)

    assert plain.full_token_bytes == 2 * 3 * 64 * 2 * 2
    assert (plain.sliding_token_bytes, plain.window_cells(Load(context=99, slots=9))) == (0, 0)


def test_a_window_is_never_larger_than_the_context():
    slided = Shape(layers=6, heads=1, head_dim=64, window=1024, full_every=6)

    assert slided.window_cells(Load(context=4096, slots=8)) == 4096
    assert slided.window_cells(Load(context=4096, slots=1)) == 1280  # 1,024 + 128, by 256
