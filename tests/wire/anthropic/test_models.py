"""The list of models as Anthropic's SDK reads it."""

from larouter.wire.anthropic.models import Entry, model_info, model_list


def test_a_list_of_models():
    first = Entry("auto", "", 1_790_000_000)
    last = Entry("claude-opus-5-5", "Claude Opus 5.5", 1_790_000_000, 1_000_000, 128_000)

    found = model_list([first, last])

    assert found == {
        "data": [model_info(first), model_info(last)],
        "has_more": False,
        "first_id": "auto",
        "last_id": "claude-opus-5-5",
    }


def test_no_models_are_a_list_too():
    assert model_list([]) == {"data": [], "has_more": False, "first_id": None, "last_id": None}


def test_a_model():
    assert model_info(Entry("m", "M", 1_790_000_000, 5, 6)) == {
        "type": "model",
        "id": "m",
        "display_name": "M",
        "created_at": "2026-09-21T14:13:20Z",
        "lifecycle": "active",
        "max_input_tokens": 5,
        "max_tokens": 6,
    }


def test_a_model_without_a_title_is_called_by_its_id():
    assert model_info(Entry("auto", "", 0))["display_name"] == "auto"
