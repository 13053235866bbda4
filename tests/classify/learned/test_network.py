"""From a request to what the network says of it."""

import numpy as np
import pytest

from larouter.classify.learned.network import FAMILIES, Network, gelu, parts_of
from larouter.classify.learned.scalars import NAMES
from larouter.classify.question import Asked
from tests.classify.learned.weights import LANGUAGES, TAGS, WIDTH, small

ASKED = Asked("hello world", "fix it", "done", "Be brief.", turns=2, length=11)


@pytest.fixture
def network():
    return Network(small())


def test_parts_of_a_request(network):
    parts = parts_of(ASKED, network.encoder)

    assert len(parts.counts) == len(NAMES)
    assert parts.codes.shape == (4 * WIDTH,)
    assert [len(grams) > 0 for grams in parts.grams] == [True] * len(FAMILIES)


def test_what_was_not_said_has_no_parts(network):
    parts = parts_of(Asked("hello", length=5), network.encoder)

    assert parts.codes[2 * WIDTH :].tolist() == [0.0] * (2 * WIDTH)
    assert [len(grams) for grams in parts.grams[2:]] == [0, 0, 0]


def test_features_are_sums_of_the_vectors_that_were_learnt(network):
    stored = small()
    parts = parts_of(ASKED, network.encoder)
    grams = parts.grams[0]
    learnt = [bucket // 2 for bucket in grams.tolist() if bucket % 2 == 0]
    summed = stored["words_grams"][learnt].astype(int).sum(0)

    features = network.features(parts)

    begin = len(NAMES) + 4 * WIDTH
    assert features[begin : begin + 2] == pytest.approx(
        summed * 0.01 * 2 / np.sqrt(len(grams)), rel=1e-4
    )


def test_every_head_says_something(network):
    said = network.says(parts_of(ASKED, network.encoder))

    assert said.tiers.shape == (5,)
    assert isinstance(said.need_strong, float)
    assert said.tags.shape == (len(TAGS),)
    assert said.languages.shape == (len(LANGUAGES),)


def test_the_bend():
    assert gelu(np.array([-9.0, 0.0, 9.0], np.float32)) == pytest.approx([0, 0, 9], abs=1e-3)
