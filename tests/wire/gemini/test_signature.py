"""Signatures: native ones untouched, foreign ones kept from Google, lost ones replaced."""

import base64

import pytest

from larouter.core.conversation import Opaque
from larouter.wire.gemini.signature import SKIP, generation, only_native, read, sign, signed

NATIVE = Opaque("gemini", "EpQDCpEDAVqX/yt+4==")
FOREIGN = Opaque("anthropic", "ErUBCkYIB+/=")
SEALED = sign(FOREIGN)


def user(text="Hi"):
    return {"role": "user", "parts": [{"text": text}]}


def calling(*signatures):
    parts = [
        {"functionCall": {"name": "f"}, **({"thoughtSignature": given} if given else {})}
        for given in signatures
    ]
    return {"role": "model", "parts": parts}


RESULT = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}


@pytest.mark.parametrize(
    ("model", "number"),
    [
        ("gemini-2.5-pro", 2),
        ("gemini-3.8-flash", 3),
        ("models/gemini-4-argon", 4),
        ("gemini-flash-latest", 99),
        ("gemma-4-31b-it", 0),
    ],
)
def test_the_generation_is_in_the_name(model, number):
    assert generation(model) == number


@pytest.mark.parametrize("opaque", [NATIVE, FOREIGN, Opaque("responses", "gAAAAAB-_=")])
@pytest.mark.parametrize("identifier", [None, "rs_0123"])
def test_a_signature_comes_back_byte_exact(opaque, identifier):
    identifier = None if opaque is NATIVE else identifier

    assert read(sign(opaque, identifier)) == (opaque, identifier)


def test_a_native_signature_is_what_google_sent():
    assert sign(NATIVE) == NATIVE.data


def test_a_sealed_signature_is_base64_in_both_alphabets():
    plain = base64.b64decode(SEALED, validate=True)

    assert base64.urlsafe_b64encode(plain).decode() == SEALED


def test_google_gets_nothing_that_others_thought():
    contents = [
        user(),
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True, "thoughtSignature": SEALED},
                {"text": "", "thoughtSignature": SEALED},
                {"text": "Hello", "thought_signature": SEALED},
                {"text": "!", "thoughtSignature": NATIVE.data},
            ],
        },
        {"role": "model", "parts": [{"text": "", "thought": True, "thoughtSignature": SEALED}]},
        {"role": "user", "parts": {"text": "one"}},
    ]

    assert only_native(contents) == [
        user(),
        {
            "role": "model",
            "parts": [{"text": "Hello"}, {"text": "!", "thoughtSignature": NATIVE.data}],
        },
        {"role": "user", "parts": {"text": "one"}},
    ]


def test_what_only_looks_sealed_is_googles():
    part = {"text": "a", "thoughtSignature": "bGFyMS0="}

    assert only_native([{"role": "model", "parts": [part]}])[0]["parts"] == [part]


def test_the_first_call_of_each_step_of_the_turn_is_signed():
    contents = [user(), calling(None), RESULT, user(), calling(None, None), RESULT,
                calling(NATIVE.data, None), RESULT]  # fmt: skip

    assert signed(contents, "gemini-3.8-flash") == [
        user(), calling(None), RESULT, user(), calling(SKIP, None), RESULT,
        calling(NATIVE.data, None), RESULT,
    ]  # fmt: skip


def test_the_clients_contents_are_not_changed_in_place():
    contents = [user(), calling(None)]

    signed(contents, "gemini-4-argon")

    assert contents == [user(), calling(None)]


def test_a_conversation_that_begins_with_a_call_is_signed_too():
    assert signed([calling(None), RESULT], "gemini-4-argon")[0] == calling(SKIP)


def test_one_part_for_a_list_is_left_alone():
    contents = [{"role": "model", "parts": {"text": "a"}}]

    assert signed(contents, "gemini-4-argon") == contents


def test_older_models_want_no_signature():
    assert signed([user(), calling(None)], "gemini-2.5-pro") == [user(), calling(None)]
