"""Hardware, catalogue and engines put together."""


def test_the_starter_is_there_and_the_others_are_not(build):
    found = build().local_models()

    states = {row.model.id: row.state for row in found.models}
    assert states.pop("smollm2-135m") == "stopped"
    assert set(states.values()) == {"absent"}
    assert found.machine.memory_bytes > 0


def test_a_file_that_was_put_there_is_seen_at_once(build, tmp_path):
    services = build()
    services.local_models()
    (tmp_path / "models").mkdir(exist_ok=True)
    file = tmp_path / "models" / "gemma-4-E2B_q4_0-it.gguf"
    with file.open("wb") as weights:
        weights.truncate(3_349_516_256)  # a hole: it takes no room on the disk

    found = services.local_models()

    assert {row.model.id: row.state for row in found.models}["gemma-4-e2b"] == "stopped"


def test_no_speed_is_said_to_be_measured(build):
    assert not any(row.speed.is_measured for row in build().local_models().models if row.speed)
