"""What a head says of memory."""

from larouter.core.room import Sizes
from larouter.engines.files import Files
from larouter.engines.gguf import Head
from larouter.engines.heads import Heads
from larouter.engines.layout import read_sizes, sizes_of
from tests.engines.starter import ENVIRONMENT, STARTER

PLAIN = Head(layers=4, heads=(8,), kv_heads=(2,), key_length=64, value_length=64, context=4096)


def test_a_plain_model_keeps_the_same_in_all_layers():
    assert sizes_of(PLAIN, 10) == Sizes(weights=10, token=4 * 2 * 128 * 2, trained=4096)


def test_a_head_s_width_may_follow_from_the_model_s():
    assert sizes_of(Head(layers=1, heads=(4,), embedding=256), 0).token == 4 * 128 * 2


def test_layers_with_a_window_are_told_apart_one_by_one():
    head = Head(
        layers=3, heads=(4,), kv_heads=(1, 1, 4), key_length=10, value_length=10,
        window=512, window_layers=(1, 1, 0), window_key_length=2, window_value_length=3,
    )  # fmt: skip

    found = sizes_of(head, 0)

    assert (found.window_token, found.token, found.window) == (2 * 5 * 2, 4 * 20 * 2, 512)


def test_layers_with_a_window_are_told_apart_in_groups():
    head = Head(layers=6, kv_heads=(1,), key_length=1, value_length=1, window=8, window_layers=(3,))

    assert (sizes_of(head, 0).window_token, sizes_of(head, 0).token) == (4 * 4, 2 * 4)


def test_a_window_of_unknown_layers_saves_nothing():
    head = Head(layers=2, kv_heads=(1,), key_length=1, value_length=1, window=8)

    assert (sizes_of(head, 0).window_token, sizes_of(head, 0).token) == (0, 8)


def test_layers_that_share_keep_nothing():
    head = Head(layers=3, kv_heads=(1,), key_length=1, value_length=1, shared_kv_layers=2)

    assert sizes_of(head, 0).token == 4


def test_a_silent_head_takes_its_weights(tmp_path):
    path = tmp_path / "x.gguf"
    path.write_bytes(b"weights")

    assert read_sizes(path, Heads(ENVIRONMENT)) == Sizes(weights=7)
    assert sizes_of(Head(), 3) == Sizes(weights=3)


def test_the_starter_model_s_sizes_are_known(tmp_path):
    path = Files(tmp_path, tmp_path / "v").find(STARTER)
    assert path is not None

    found = read_sizes(path, Heads(ENVIRONMENT))

    assert found == Sizes(
        weights=98_362_432, token=30 * 3 * 128 * 2, vocabulary=49_152, trained=8192
    )
