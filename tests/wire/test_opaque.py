"""What one provider made travels through any dialect, and comes back byte-exact."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.conversation import Opaque
from larouter.wire.opaque import own, seal, seal_base64, unseal, unseal_base64

MAKERS = st.sampled_from(["anthropic", "gemini", "responses", "chat", "larouter", "gemini@call_1"])
BASE64 = st.binary().map(lambda data: base64.b64encode(data).decode())


@given(st.builds(Opaque, MAKERS, st.text()))
def test_another_maker_s_comes_back_byte_exact(opaque):
    assert unseal(seal(opaque, "ollama"), "ollama") == opaque


@given(st.builds(Opaque, MAKERS, st.text(st.characters(exclude_categories=["Cs"]))))
def test_it_does_where_base64_is_wanted(opaque):
    sealed = seal_base64(opaque, "ollama")

    assert base64.b64decode(sealed, validate=True).decode() == seal(opaque, "ollama")
    assert unseal_base64(sealed, "ollama") == opaque


@given(BASE64)
def test_a_dialect_s_own_passes_as_it_is(data):
    opaque = Opaque("gemini", data)

    assert seal(opaque, "gemini") == seal_base64(opaque, "gemini") == data
    assert unseal(data, "gemini") == unseal_base64(data, "gemini") == opaque


@pytest.mark.parametrize("text", ["", "lar1", "lar1.", "lar1.anthropic", "LAR1.a.b", "not base64!"])
def test_what_has_no_mark_of_ours_is_the_dialect_s_own(text):
    assert unseal(text, "anthropic") == Opaque("anthropic", text)
    assert unseal_base64(text, "gemini") == Opaque("gemini", text)


def test_base64_that_is_no_text_is_the_dialect_s_own():
    text = base64.b64encode(b"lar1\xff.").decode()

    assert unseal_base64(text, "gemini") == Opaque("gemini", text)


def test_broken_text_behind_our_mark_is_still_somebody_else_s():
    text = base64.b64encode(b"lar1.anthropic.\xff").decode()

    assert unseal_base64(text, "gemini").maker == "anthropic"


@pytest.mark.parametrize(
    ("opaque", "data"),
    [(None, None), (Opaque("anthropic", "s"), None), (Opaque("gemini", "s"), "s")],
)
def test_only_its_maker_gets_it(opaque, data):
    assert own(opaque, "gemini") == data
