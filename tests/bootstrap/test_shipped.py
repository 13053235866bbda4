from larouter.bootstrap import shipped
from tests.fakes import a_request


def test_the_classifier_is_the_trained_one():
    rules, last, _ = shipped.stages()

    verdict = rules.judge(a_request("Hello"))
    assert verdict is not None
    assert verdict.tier == "HEARTBEAT"
    assert last.judge(a_request("Hello")).stage == "learned"


def test_what_is_shipped_is_read_once():
    assert shipped.stages() is shipped.stages()
    assert shipped.text("rules.toml") is shipped.text("rules.toml")
