import pytest

from larouter.store.responses import KEPT_MS, Responses
from larouter.store.writer import now_ms


@pytest.fixture
def time_ms():
    return [now_ms()]


@pytest.fixture
def kept(writer, projects, time_ms):
    return Responses(writer, clock=lambda: time_ms[0])


@pytest.fixture
def projects(writer):
    def job(connection):
        for id in ("prj_1", "prj_2"):
            connection.execute(
                "INSERT INTO project (id, name, created_ms) VALUES (?,?,0)", (id, f"name {id}")
            )

    writer.run(job)


def user(text, **more):
    return {"type": "message", "role": "user", "content": text, **more}


def said(text, id):
    return {"type": "message", "role": "assistant", "content": text, "id": id}


def answer(id, text="Yes"):
    return {"id": id, "output": [said(text, f"msg_{id}")], "store": True}


@pytest.fixture
def two_turns(kept):
    kept.save("prj_1", answer("r1", "One é🙂"), [user("A", id="msg_a")], None)
    kept.save("prj_1", answer("r2", "Two"), [user("B")], "r1")


def text(item):
    content = item["content"]
    return content if isinstance(content, str) else content[0]["text"]


def texts(items):
    return [text(item) for item in items]


def test_a_response_is_read_as_it_was_kept(kept, two_turns):
    assert kept.get("prj_1", "r1") == answer("r1", "One é🙂")
    assert kept.get("prj_1", "r9") is None


def test_a_conversation_is_the_whole_chain(kept, two_turns):
    assert texts(kept.chain("prj_1", "r2")) == ["A", "One é🙂", "B", "Two"]
    assert texts(kept.input_items("prj_1", "r2")) == ["A", "One é🙂", "B"]


def test_an_item_gets_an_id(kept):
    items = [
        user("A"),
        {"type": "function_call_output", "call_id": "c", "output": ""},
        {"role": "user", "content": "B"},
        {"type": "brand_new"},
    ]
    kept.save("prj_1", {"id": "r1"}, items, None)
    found = kept.input_items("prj_1", "r1")

    assert [item["id"].partition("_")[0] for item in found] == ["msg", "fco", "msg", "item"]
    assert found[2]["type"] == "message"
    assert found[2]["content"] == [{"type": "input_text", "text": "B"}]
    assert kept.chain("prj_1", "r1") == found


def test_what_a_model_said_is_its_output(kept):
    given = [{"role": "assistant", "content": "Yes"}, user([{"type": "input_text", "text": "A"}])]
    kept.save("prj_1", {"id": "r1"}, given, None)
    said, asked = kept.chain("prj_1", "r1")

    assert said["content"] == [{"type": "output_text", "text": "Yes"}]
    assert asked["content"] == given[1]["content"]


def test_items_are_found_by_their_ids(kept, two_turns):
    found = kept.items("prj_1", ["msg_a", "msg_r1", "msg_r2", "msg_nobodys"])

    assert {id: text(item) for id, item in found.items()} == {
        "msg_a": "A",
        "msg_r1": "One é🙂",
        "msg_r2": "Two",
    }


def test_another_projects_responses_are_unknown(kept, two_turns):
    assert kept.get("prj_2", "r1") is None
    assert kept.chain("prj_2", "r2") is None
    assert kept.input_items("prj_2", "r2") is None
    assert kept.items("prj_2", ["msg_a"]) == {}
    assert not kept.delete("prj_2", "r1")
    assert kept.get("prj_1", "r1") is not None


def test_the_same_id_in_two_projects_is_two_responses(kept):
    kept.save("prj_1", answer("r1", "mine"), [], None)
    kept.save("prj_2", answer("r1", "theirs"), [], None)

    assert texts(kept.chain("prj_1", "r1")) == ["mine"]


def test_what_is_deleted_is_gone_with_its_items(kept, two_turns, ask):
    assert kept.delete("prj_1", "r1")

    assert kept.get("prj_1", "r1") is None
    assert kept.items("prj_1", ["msg_a"]) == {}
    assert kept.chain("prj_1", "r2") is None
    assert ask("SELECT COUNT(*) FROM response_item WHERE response_id='r1'") == [(0,)]
    assert not kept.delete("prj_1", "r1")


def test_a_response_is_kept_for_thirty_days(kept, two_turns, time_ms, ask):
    time_ms[0] += KEPT_MS - 1
    kept.save("prj_1", answer("r3"), [], "r2")
    assert kept.forget_expired() == 0
    assert kept.chain("prj_1", "r3") is not None

    time_ms[0] += 1

    assert kept.get("prj_1", "r1") is None
    assert kept.items("prj_1", ["msg_a"]) == {}
    assert kept.forget_expired() == 2
    assert ask("SELECT id FROM response") == [("r3",)]
    assert ask("SELECT DISTINCT response_id FROM response_item") == [("r3",)]


def test_a_circle_of_responses_ends(kept):
    kept.save("prj_1", answer("r1"), [], "r2")
    kept.save("prj_1", answer("r2"), [], "r1")

    assert len(kept.chain("prj_1", "r2")) == 2


def test_a_response_that_is_kept_again_replaces_the_first(kept):
    kept.save("prj_1", answer("r1", "One"), [user("A")], None)
    kept.save("prj_1", answer("r1", "Two"), [user("B")], None)

    assert texts(kept.chain("prj_1", "r1")) == ["B", "Two"]


def test_everything_of_a_project_can_be_forgotten(kept):
    kept.save("prj_1", answer("resp_1"), [user("Hi")], None)
    kept.save("prj_1", answer("resp_2"), [user("Hi")], None)
    kept.save("prj_2", answer("resp_1"), [user("Hi")], None)

    assert kept.count() == 3
    assert kept.forget_all("prj_1") == 2
    assert kept.get("prj_1", "resp_1") is None
    assert kept.items("prj_1", ["msg_resp_1"]) == {}
    assert kept.count() == 1


def test_what_is_too_old_does_not_count(kept, time_ms):
    kept.save("prj_1", answer("resp_1"), [user("Hi")], None)
    time_ms[0] += KEPT_MS

    assert kept.count() == 0
