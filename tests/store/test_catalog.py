"""Which catalogue is in force: by day, by the admin's word, and after a restart."""

import json
from datetime import UTC, datetime

import pytest

from larouter.core.catalog import FREE, Model
from larouter.core.catalog_changes import Change
from larouter.core.errors import BadRequest, Conflict, StorageDown
from larouter.store import catalog as module
from larouter.store.catalog import Catalogs
from tests.catalogs import TEXT
from tests.fakes import Clock

VERSIONS = "SELECT id, model, price FROM price_version ORDER BY id"
BIG = "openai/big"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.fixture
def clock():
    return Clock(at("2026-11-23T12:00"))


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "catalog.toml"


@pytest.fixture
def start(writer, kept, clock):
    """Begin, as a server does; the shipped catalogue may be another one after an update."""
    return lambda shipped=TEXT: Catalogs(shipped, kept, writer, clock=clock)


class Meanwhile:
    """A writer during whose next write something else happens."""

    def __init__(self, writer, something):
        self._writer = writer
        self._something = [something]

    def run(self, job):
        done = self._writer.run(job)
        if self._something:
            self._something.pop()()
        return done


def dearer(text=TEXT):
    return text.replace('input = "2"', 'input = "3"')


def agree(catalogs, text):
    digest, _ = catalogs.preview(text)
    return catalogs.replace(text, digest)


def test_without_a_file_the_shipped_one_is_in_force(start):
    catalogs = start()

    assert catalogs.is_shipped
    assert catalogs.problem is None
    assert catalogs.current.models["big"].price.input == 2
    assert catalogs.text == TEXT


def test_every_price_in_force_has_a_version(start, ask):
    catalogs = start()

    assert catalogs.versions.keys() == {BIG, "local/small"}
    assert {id for id, *_ in ask(VERSIONS)} == set(catalogs.versions.values())


def test_a_day_that_changes_a_price_changes_it_while_the_server_runs(start, clock, ask):
    catalogs = start()
    versions = catalogs.versions
    before = dict(versions)

    clock.now = at("2026-11-30T23:59:59")
    assert catalogs.current.models["big"].price.input == 2
    clock.now = at("2026-12-01T00:00:00")

    assert catalogs.current.models["big"].price.input == 4
    assert catalogs.versions is versions
    assert versions[BIG] > before[BIG]
    assert versions["local/small"] == before["local/small"]
    assert [json.loads(price)["input"] for _, model, price in ask(VERSIONS) if model == BIG] == [
        "2", "4",
    ]  # fmt: skip


def test_a_day_that_changes_nothing_makes_no_version(start, clock, ask):
    catalogs = start()
    before, catalog = ask(VERSIONS), catalogs.current

    clock.advance(86_400)

    assert catalogs.current is catalog
    assert ask(VERSIONS) == before


def test_a_clock_that_jumps_back_brings_the_old_price_back(start, clock):
    clock.now = at("2026-12-01T00:00:00")
    catalogs = start()

    clock.now = at("2026-11-30T12:00:00")

    assert catalogs.current.models["big"].price.input == 2


def test_a_day_that_begins_does_not_undo_the_admin(start, clock, writer):
    catalogs = start()
    text = (
        dearer()
        .replace("until = 2026-11-30\n", "")
        .replace("from = 2026-12-01", "from = 2030-01-01")
    )
    catalogs._writer = Meanwhile(writer, lambda: agree(catalogs, text))

    clock.now = at("2026-12-01T00:00:00")

    assert catalogs.current.models["big"].price.input == 3
    assert catalogs.text == text


def test_a_preview_changes_nothing(start, kept):
    catalogs = start()
    before = catalogs.current

    digest, found = catalogs.preview(dearer())

    assert found == [Change("changed", "model big", "price: input", "2", "3")]
    assert len(digest) == 64
    assert catalogs.current is before
    assert not kept.exists()


def test_what_is_agreed_to_is_in_force_at_once_and_after_a_restart(start, kept, ask):
    catalogs = start()
    before = catalogs.versions[BIG]

    found = agree(catalogs, dearer())

    assert [change.after for change in found] == ["3"]
    assert catalogs.current.models["big"].price.input == 3
    assert catalogs.versions[BIG] > before
    assert not catalogs.is_shipped
    assert start().current.models["big"].price.input == 3
    assert start().versions[BIG] == catalogs.versions[BIG]
    assert kept.read_text(encoding="utf-8") == dearer()


def test_a_model_that_was_decided_on_keeps_its_price(start):
    catalogs = start()
    decided = catalogs.current.models["big"]

    agree(catalogs, dearer())

    assert decided.price.input == 2


def test_only_what_was_shown_can_be_agreed_to(start, kept):
    catalogs = start()
    digest, _ = catalogs.preview(dearer())

    with pytest.raises(Conflict):
        catalogs.replace(dearer() + "# and more", digest)

    assert catalogs.is_shipped
    assert not kept.exists()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no models"),
        ("date = ", "cannot be used"),
        (TEXT.replace('source = "a price list"', ""), "no source"),
        (TEXT.replace('"small.gguf"', '"small.gguf", package = "os"'), "does not know"),
        (TEXT + "#" * module.MOST_BYTES, "at most 5 MiB"),
    ],
)
def test_a_catalogue_with_a_fault_is_refused(start, kept, text, fault):
    catalogs = start()

    with pytest.raises(BadRequest, match=fault):
        catalogs.preview(text)
    with pytest.raises(BadRequest, match=fault):
        catalogs.replace(text, "")

    assert catalogs.is_shipped
    assert not kept.exists()


def test_a_reset_is_for_now_and_for_later(start, kept):
    catalogs = start()
    agree(catalogs, dearer())

    found = catalogs.reset()

    assert [(change.before, change.after) for change in found] == [("3", "2")]
    assert catalogs.is_shipped
    assert not kept.exists()
    assert start().is_shipped
    assert catalogs.reset() == []


@pytest.mark.parametrize(
    "damage",
    [b"", b"\xff\xfe", b"date = ", b"[" * 5_000, b"[[model]]\nid = 1\n", b"#" * 6_000_000],
)
def test_a_damaged_file_is_not_used_and_does_not_stop_the_start(start, kept, damage, caplog):
    kept.write_bytes(damage)

    catalogs = start()

    assert catalogs.is_shipped
    assert "catalog.toml in the data folder is not used" in catalogs.problem
    assert "the shipped catalogue is used instead" in caplog.text
    assert kept.read_bytes() == damage


def test_another_catalogue_ends_the_problem(start, kept):
    kept.write_text("date = ")
    catalogs = start()

    agree(catalogs, dearer())

    assert catalogs.problem is None


def test_a_folder_that_cannot_be_written_changes_nothing(start, kept):
    catalogs = start()
    kept.with_name("catalog.toml.part").mkdir()

    with pytest.raises(StorageDown):
        agree(catalogs, dearer())

    assert catalogs.is_shipped
    assert catalogs.current.models["big"].price.input == 2


def test_a_file_that_cannot_be_removed_stays_in_force(start, kept):
    catalogs = start()
    agree(catalogs, dearer())
    kept.unlink()
    kept.mkdir()

    with pytest.raises(StorageDown):
        catalogs.reset()

    assert not catalogs.is_shipped


def test_a_model_of_the_user_s_is_there_and_no_change_of_the_catalogue(start, ask):
    catalogs = start()
    mine = Model(id="mine", name="mine", provider="local", price=FREE)

    catalogs.use_own(lambda: [mine])

    assert catalogs.current.models["mine"] is mine
    assert "mine" not in catalogs.listed.models
    assert "local/mine" in catalogs.versions
    assert catalogs.preview(TEXT)[1] == []
    assert agree(catalogs, dearer()) == [Change("changed", "model big", "price: input", "2", "3")]
    assert catalogs.current.models["mine"] is mine


def test_a_model_that_another_process_brings_is_there_at_the_next_look(start):
    catalogs = start()
    brought: list[Model] = []
    catalogs.use_own(lambda: brought)
    brought.append(Model(id="mine", name="mine", provider="local", price=FREE))

    catalogs.refresh()

    assert "mine" in catalogs.current.models
