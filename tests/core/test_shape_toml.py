"""The table `shape` of a model: strict, and with its source."""

import tomllib

import pytest

from larouter.core.shape_toml import read_shape

TEXT = 'layers = 6\nheads = 2\nhead_dim = 64\nsource = "a page"\nchecked = 2026-11-23\n'


def read(text):
    return read_shape(tomllib.loads(text), "model one")


def test_a_shape_is_read():
    shape = read(TEXT + "window = 512\nfull_every = 6\nshared_layers = 1\nvocabulary = 9\n")

    assert (shape.layers, shape.heads, shape.head_dim) == (6, 2, 64)
    assert (shape.window, shape.full_every, shape.shared_layers) == (512, 6, 1)
    assert (shape.vocabulary, shape.parameters) == (9, None)
    assert (shape.source, str(shape.checked)) == ("a page", "2026-11-23")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (TEXT.replace("layers = 6\n", ""), "the shape of model one has no layers"),
        (TEXT.replace("heads = 2\n", ""), "has no heads"),
        (TEXT.replace("layers = 6", "layers = 0"), "not a whole number above 0"),
        (TEXT.replace('source = "a page"', ""), "has no source"),
        (TEXT.replace('"a page"', '"unknown"'), "states layers, and its source is unknown"),
        (TEXT.replace("checked = 2026-11-23", ""), "has no date in checked"),
        (TEXT + "colour = 1", "has an unknown key: colour"),
        (TEXT + "window = 512", "a window without full_every"),
        (TEXT + "full_every = 6", "a window without full_every"),
        (TEXT + "shared_layers = 6", "shares more layers than it has"),
    ],
)
def test_a_shape_with_a_fault_is_refused(text, fault):
    with pytest.raises(ValueError, match=fault):
        read(text)
