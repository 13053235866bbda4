"""What the pages learn of who answers."""


def test_without_a_key_the_starter_answers_every_tier(build):
    lines = build().tiers()

    assert [line.name for line in lines] == [
        "HEARTBEAT", "SIMPLE", "MODERATE", "COMPLEX", "FRONTIER",
    ]  # fmt: skip
    assert {line.model_key for line in lines} == {"local/smollm2-135m"}
    assert all(line.is_local and line.degraded for line in lines)
