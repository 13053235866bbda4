"""From a request to what the network says of it."""

import numpy as np
import pytest

from larouter.classify.learned.network import FAMILIES, Network, gelu, parts_of
from larouter.classify.learned.scalars import NAMES
from larouter.classify.learned.wish import place
from larouter.classify.question import Asked
from tests.classify.learned.weights import LANGUAGES, TAGS, WIDTH, small

ASKED = Asked("hello world", "fix it", "done", "Be brief.", turns=2, length=11)


@pytest.fixture
def network():
    return Network(small())


def test_parts_of_a_request(network):
    parts = parts_of(ASKED, network.encoder, network.wishes)

    assert len(parts.counts) == len(NAMES)
    assert [code is not None for code in parts.codes] == [True, False, True, True, True]
    given = [name for name, grams in zip(FAMILIES, parts.grams, strict=True) if len(grams)]
    assert given == ["words", "letters", "before", "answer", "system"]


def test_a_pasted_text_is_apart_from_the_wish(network):
    wishes = bytearray(network.wishes)
    wishes[place("hello")] = 255
    asked = Asked("hello world?\n" + "word after word, " * 20)

    parts = parts_of(asked, network.encoder, bytes(wishes))

    assert np.any(parts.codes[0])
    assert np.any(parts.codes[1])
    assert len(parts.grams[FAMILIES.index("matter")]) > 0
    assert dict(zip(NAMES, parts.counts, strict=True))["has_matter"]


def test_of_a_long_wish_both_ends_are_read(network):
    middle, end = Asked("x " * 300 + "hello" + " x" * 300), Asked("x " * 500 + "hello")

    seen = [parts_of(asked, network.encoder, network.wishes).codes[0] for asked in (middle, end)]

    assert [bool(np.any(code)) for code in seen] == [False, True]


def test_what_was_not_said_has_no_parts(network):
    parts = parts_of(Asked("hello", length=5), network.encoder, network.wishes)

    assert parts.codes[1:] == (None,) * 4
    assert [len(grams) for grams in parts.grams[2:]] == [0, 0, 0, 0]


def test_features_are_sums_of_the_vectors_that_were_learnt(network):
    stored = small()
    parts = parts_of(ASKED, network.encoder, network.wishes)
    grams = parts.grams[0]
    learnt = [bucket // 2 for bucket in grams.tolist() if bucket % 2 == 0]
    summed = stored["words_grams"][learnt].astype(int).sum(0)

    features = dict(network.features(parts))

    assert features[len(NAMES) + 10 * WIDTH] == pytest.approx(
        summed * 0.01 * 2 / np.sqrt(len(grams)), rel=1e-4
    )


def test_every_head_says_something(network):
    said = network.says(parts_of(ASKED, network.encoder, network.wishes))

    assert said.tiers.shape == (5,)
    assert isinstance(said.need_strong, float)
    assert said.tags.shape == (len(TAGS),)
    assert said.languages.shape == (len(LANGUAGES),)


def test_the_bend():
    assert gelu(np.array([-9.0, 0.0, 9.0], np.float32)) == pytest.approx([0, 0, 9], abs=1e-3)
