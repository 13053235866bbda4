"""`larouter doctor`: one line each, all at once, and a code that scripts can go by."""

import json
import threading

from larouter.cli.checks import Check
from larouter.cli.doctor import look


def test_a_fresh_machine_needs_nothing(cli):
    lines = cli.lines("doctor")

    shown = {line[6:22].strip(): line[:4].strip() for line in lines if line}
    assert {"Python", "engine", "processor", "server", "keys", "database", "clock"} <= set(shown)
    assert "FAIL" not in shown.values()


def test_a_failure_ends_with_1_and_says_what_to_do(alone):
    done = alone.run("doctor", SSL_CERT_FILE="/nowhere/at-all")

    # What click hands back here is the code that the program ends with.
    assert done.return_value == 1
    assert "FAIL  certificates     SSL_CERT_FILE names /nowhere/at-all" in done.stdout
    assert alone.run("doctor").return_value is None


def test_as_json_it_is_one_object_and_no_key_is_in_it(alone):
    out = alone.run("doctor", "--json", OPENAI_API_KEY="sk-canary-of-the-test").stdout

    found = json.loads(out)
    keys = next(row for row in found["checks"] if row["name"] == "keys")
    assert found["ok"] is True
    assert "openai (environment)" in keys["words"]
    assert "canary" not in out


def fine(name):
    return lambda: [Check(name=name, status="ok", words="fine")]


def test_one_that_hangs_is_named_and_left_behind():
    never = threading.Event()

    def hangs():
        never.wait()
        return []

    try:
        found = look([("slow", hangs), ("quick", fine("quick"))], 0.2)
    finally:
        never.set()

    assert [(check.name, check.status) for check in found] == [("slow", "warn"), ("quick", "ok")]
    assert "no answer within 0.2 s" in found[0].words


def test_one_that_breaks_does_not_hide_the_others():
    def broken():
        raise RuntimeError("with a secret in it")

    found = look([("broken", broken), ("quick", fine("quick")), ("none", list)], 5)

    assert [check.name for check in found] == ["broken", "quick"]
    assert found[0].words == "could not be looked at: RuntimeError"
