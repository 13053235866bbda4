"""The table of providers: what each row must say."""

import re

import pytest

from larouter.providers import COMPATIBLE, ENDPOINTS, ENGINE_QUIRKS, Endpoint
from larouter.providers.connection import Origin
from larouter.wire import embeddings
from larouter.wire.dialects import WIRES


def test_every_provider_is_there_once():
    names = [endpoint.name for endpoint in ENDPOINTS]

    assert names == [
        "openai", "anthropic", "google", "deepseek", "ollama", "llamacpp", "custom",
    ]  # fmt: skip


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_a_row_is_whole(endpoint):
    assert re.fullmatch(r"[a-z]+", endpoint.name)
    assert endpoint.title
    assert endpoint.wire in {"openai", "anthropic", "gemini"}
    # Whoever has an address of its own is a cloud: it wants a key, and TLS.
    assert (endpoint.url is None) == (endpoint.key_variable is None)
    if endpoint.url:
        assert Origin.of(endpoint.url).scheme == "https"


def test_every_wire_of_the_table_can_be_called():
    spoken = {wire for endpoint in ENDPOINTS for wire in endpoint.wires}

    assert spoken == {*WIRES, *embeddings.WIRES}


def test_who_says_nothing_is_compatible():
    assert Endpoint(name="x", title="X", wire="openai").quirks == COMPATIBLE


def test_our_engine_gets_no_field_that_chooses_slots_or_files():
    assert ENGINE_QUIRKS.only is not None
    assert not ENGINE_QUIRKS.only & {"id_slot", "cache_prompt", "lora", "grammar", "chat_template"}
