import pytest

from larouter.core.errors import Conflict, NotFound
from larouter.store.providers import AddedProvider, AddedProviders

MINE = AddedProvider(name="mine", wire="openai", url="http://127.0.0.1:9000/v1")
YOURS = AddedProvider(name="yours", wire="openai", url="https://example.org/v1")


@pytest.fixture
def added(writer):
    return AddedProviders(writer)


def test_at_first_there_is_none(added):
    assert added.list() == []


def test_what_was_added_is_listed_in_that_order(added, writer):
    added.add(YOURS)
    writer.run(lambda connection: connection.execute("UPDATE provider SET created_ms = 1"))
    added.add(MINE)

    assert added.list() == [YOURS, MINE]


def test_what_was_added_outlives_the_process(added, writer):
    added.add(MINE)

    assert AddedProviders(writer).list() == [MINE]


def test_a_name_is_given_once(added):
    added.add(MINE)

    with pytest.raises(Conflict) as caught:
        added.add(AddedProvider(name="mine", wire="openai", url="https://example.org/v1"))

    assert caught.value.code == "provider_exists"
    assert added.list() == [MINE]


def test_a_removed_name_is_free(added):
    added.add(MINE)

    added.remove("mine")
    added.add(MINE)

    assert added.list() == [MINE]


def test_removing_what_is_not_there_is_not_found(added):
    with pytest.raises(NotFound, match="'mine'"):
        added.remove("mine")


@pytest.mark.sqlite
def test_no_key_is_kept_in_the_database(ask):
    columns = {name for _, name, *_ in ask("PRAGMA table_info(provider)")}

    assert columns == {"name", "wire", "url", "created_ms"}
