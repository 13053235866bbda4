"""The house rules that no linter knows: mirrors, sizes, names, promises, hashed lists."""

import json
import re
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN_NAMES = {
    "base", "common", "helper", "helpers", "manager", "misc", "service", "util", "utils",
}  # fmt: skip

# A module may grow past this when somebody says why here.
LONGEST = 400
LONG: dict[str, str] = {
    "tests/web/test_http11.py": "one table of raw bytes and what becomes of them",
}

# Modules whose test stands elsewhere, and where.
TESTED_ELSEWHERE: dict[str, str] = {
    "larouter/web/shown.py": "interfaces only",
    "larouter/web/pages/__init__.py": "a list of pages: tests/web/pages",
    "larouter/core/report.py": "interfaces only: tests/store/test_reports.py, test_feed.py",
}

_CITATION = re.compile(r"TRUST ((?:[ABS]\d+(?:, | and |/)?)+)|\(([ABS]\d{1,2})\)")


def _files(*patterns):
    found = chain.from_iterable(ROOT.glob(pattern) for pattern in patterns)
    names = (path.relative_to(ROOT).as_posix() for path in found)
    return sorted(name for name in names if "/vendor/" not in name)


MODULES = _files("larouter/**/*.py")
PYTHON = _files("larouter/**/*.py", "tests/**/*.py", "benchmarks/**/*.py")
LISTS = _files("requirements/*.txt")


def _read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def _needs_mirror(name):
    """A module without a function only names things: there is nothing to test."""
    if name in TESTED_ELSEWHERE or "/migrations/" in name:
        return False
    return re.search(r"^ *def ", _read(name), re.MULTILINE) is not None


def _mirror(name):
    """`larouter/wire/sse.py` → `tests/wire/test_sse.py`; a package is tested under its own name.

    A long test may be split: `tests/wire/test_sse_cut.py` is a mirror of it too.
    """
    path = Path(name).relative_to("larouter")
    stem = path.parent.name if path.name == "__init__.py" else path.stem.strip("_")
    return Path("tests", path.parent, f"test_{stem}*.py").as_posix()


@pytest.mark.parametrize("module", [name for name in MODULES if _needs_mirror(name)])
def test_a_module_has_its_test(module):
    assert _files(_mirror(module)), f"{module} wants {_mirror(module)}"


@pytest.mark.parametrize("name", PYTHON)
def test_a_module_stays_short(name):
    lines = len(_read(name).splitlines())

    assert lines <= LONGEST or name in LONG, f"{lines} lines: split it along a noun"


def test_the_list_of_long_modules_is_current():
    assert [name for name in LONG if len(_read(name).splitlines()) <= LONGEST] == []


def test_the_list_of_modules_tested_elsewhere_is_current():
    assert [name for name in TESTED_ELSEWHERE if name not in MODULES] == []


@pytest.mark.parametrize("name", PYTHON)
def test_a_module_is_named_after_what_it_holds(name):
    words = set(re.split(r"[/_.]", name))

    assert words & FORBIDDEN_NAMES == set()


def test_a_cited_promise_exists():
    promised = set(re.findall(r"^- \*\*([ABS]\d+) ", _read("docs/promises.md"), re.MULTILINE))
    cited = {
        (number, name)
        for name in [*PYTHON, *_files("docs/*.md", "templates/**/*.html", "static/**/*.js")]
        for match in _CITATION.finditer(_read(name))
        for number in re.findall(r"[ABS]\d+", match[0])
    }

    assert len(promised) == 43
    assert {(number, name) for number, name in cited if number not in promised} == set()


def test_gevent_is_patched_where_a_process_begins():
    """Each of several workers begins in its own module."""
    patches = re.compile(r"\bpatch_(all|socket|thread|ssl|time|select|builtins)\b")

    assert [name for name in MODULES if patches.search(_read(name))] == [
        "larouter/__main__.py",
        "larouter/workers.py",
    ]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_names_no_address(name):
    addresses = re.findall(r"://|file:|^-.*|@ ?[/.]", _read(name), re.MULTILINE)

    assert addresses == []


@pytest.mark.parametrize("name", LISTS)
def test_a_list_pins_every_package_by_hash(name):
    text = re.sub(r"^\s*#.*\n", "", _read(name), flags=re.MULTILINE).replace("\\\n", "")
    packages = [line for line in text.splitlines() if line.strip()]

    assert packages != []
    assert [line for line in packages if "==" not in line or "--hash=sha256:" not in line] == []


def test_the_list_of_agents_names_no_address_and_pins_by_hash():
    packages = json.loads(_read("tests/agents/package-lock.json"))["packages"]
    del packages[""]

    assert "://" not in _read("tests/agents/package-lock.json")
    assert packages != {}
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
