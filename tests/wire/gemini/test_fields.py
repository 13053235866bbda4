"""Google's JSON in all its spellings."""

import pytest

from larouter.core.errors import BadRequest
from larouter.wire.gemini.fields import camel, camel_names, get, listed, object_of, snake, without


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("max_output_tokens", "maxOutputTokens"),
        ("top_k", "topK"),
        ("contents", "contents"),
        ("$alt", "$alt"),
        ("_private", "_private"),
        ("maxOutputTokens", "maxOutputTokens"),
    ],
)
def test_names_become_camel_case(spelled, name):
    assert camel(spelled) == name


@pytest.mark.parametrize(
    ("name", "spelled"), [("maxOutputTokens", "max_output_tokens"), ("topK", "top_k"), ("a", "a")]
)
def test_names_become_snake_case(name, spelled):
    assert snake(name) == spelled


def test_a_field_is_found_in_either_spelling():
    assert get({"topK": 1}, "topK") == get({"top_k": 1}, "topK") == 1
    assert get({"topK": None}, "topK") is None


def test_what_is_inside_keeps_its_names():
    assert camel_names({"function_call": {"my_arg": 1}}) == {"functionCall": {"my_arg": 1}}


def test_a_field_is_left_out_in_either_spelling():
    assert without({"top_k": 1, "topK": 2, "seed": 3}, "topK") == {"seed": 3}


def test_one_object_stands_for_a_list():
    assert listed("parts", {"text": "a"}) == [{"text": "a"}]
    assert listed("parts", None) == []
    assert object_of("config", None) == {}


@pytest.mark.parametrize("value", ["text", [1], 7])
def test_no_list_of_objects_is_refused(value):
    with pytest.raises(BadRequest) as caught:
        listed("parts", value)

    assert caught.value.param == "parts"


def test_no_object_is_refused():
    with pytest.raises(BadRequest):
        object_of("generationConfig", [])
