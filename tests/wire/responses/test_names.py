import pytest

from larouter.wire.responses.names import Named, every_tool, flat, names

DEPLOY = {"type": "function", "name": "deploy"}
PATCH = {"type": "custom", "name": "apply_patch"}


def space(name, *tools):
    return {"type": "namespace", "name": name, "description": "", "tools": list(tools)}


@pytest.mark.parametrize(
    ("namespace", "name", "joined"),
    [
        (None, "deploy", "deploy"),
        ("", "deploy", "deploy"),
        ("functions", "deploy", "deploy"),
        ("deploy", "deploy", "deploy"),
        (7, "deploy", "deploy"),
        ("ops", "deploy", "ops__deploy"),
        ("mcp__ops__", "deploy", "mcp__ops__deploy"),
    ],
)
def test_a_tool_has_one_name(namespace, name, joined):
    assert flat(namespace, name) == joined


def test_a_name_never_grows_too_long():
    one, other = flat("n" * 60, "deploy"), flat("n" * 60, "destroy")

    assert len(one) == len(other) == 64
    assert one != other
    assert one == flat("n" * 60, "deploy")


def test_tools_are_known_by_their_flat_names():
    body = {
        "tools": [DEPLOY, space("ops", DEPLOY, PATCH), space("functions", PATCH), {"type": "mcp"}],
        "input": [
            {"role": "user", "content": "Hi"},
            {"type": "additional_tools", "tools": [space("late", DEPLOY)]},
            {"type": "tool_search_output", "tools": [space("late", DEPLOY), space("empty")]},
        ],
    }

    assert names(body) == {
        "deploy": Named("deploy"),
        "ops__deploy": Named("deploy", "ops"),
        "ops__apply_patch": Named("apply_patch", "ops", custom=True),
        "apply_patch": Named("apply_patch", custom=True),
        "late__deploy": Named("deploy", "late"),
    }
    assert len(list(every_tool(body))) == 6


def test_no_tools_are_no_tools():
    assert names({"input": "Hi"}) == {}
