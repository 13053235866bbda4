"""What is wrong with this machine's files is found, with what to do."""

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from larouter.cli import checks
from larouter.config import read_settings
from larouter.store.schema import head
from tests.machines import a_machine


@pytest.fixture
def settings(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return read_settings({"LAROUTER_HOME": str(home)})


def found(question):
    return {check.name: (check.status, check.words) for check in question}


def put(settings, name, size):
    path = settings.home / "models" / name
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)  # a hole: it takes no room on the disk
    return path


def with_version(settings, version):
    with closing(sqlite3.connect(settings.database_file)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (version,))


def test_python_and_the_engine_are_named_with_their_versions():
    rows = found(checks.programs())

    assert rows["Python"][0] == rows["engine"][0] == "ok"
    assert rows["engine"][1].startswith("xllamacpp 2")


def test_this_machine_is_looked_at(settings):
    assert {"processor", "memory"} == set(found(checks.hardware(settings)))
    assert set(found(checks.memory_speed(settings))) <= {"speed"}


def test_a_processor_without_avx2_fails():
    check = checks.processor(a_machine(has_avx2=False))

    assert check.status == "fail"
    assert "no AVX2" in check.words


def test_a_container_that_is_nearly_full_is_warned_of():
    check = checks.memory(a_machine(1, available_bytes=10**8, is_limited=True))

    assert (check.status, check.words[:38]) == ("warn", "only 100 MB of 1.07 GB free (the conta")


@pytest.mark.parametrize(
    ("rate", "status"), [(None, None), (3 * 10**9, "warn"), (40 * 10**9, "ok")]
)
def test_slow_memory_is_said(rate, status):
    rows = list(checks.speed(a_machine(bytes_per_s=rate)))

    assert [row.status for row in rows] == ([status] if status else [])


def test_without_a_download_the_starter_is_there_alone(settings):
    rows = found(checks.models(settings))

    assert rows["starter"][0] == rows["models"][0] == "ok"


def test_model_files_are_whole_or_damaged_or_links(settings):
    put(settings, "gemma-4-E2B_q4_0-it.gguf", 3_349_516_256)
    half = put(settings, "gemma-4-E4B_q4_0-it.gguf", 1_000_000_000)
    (settings.home / "models" / "gemma-4-12b-it-qat-q4_0.gguf").symlink_to(half)

    rows = found(checks.models(settings))

    assert rows["gemma-4-e2b"] == ("ok", "its hash is checked at first use")
    assert rows["gemma-4-e4b"][0] == "fail"
    assert "1.00 GB instead of 5.15 GB: delete it" in rows["gemma-4-e4b"][1]
    assert rows["gemma-4-12b"][0] == "warn"


def test_a_data_folder_that_is_not_there_yet_is_no_fault(settings):
    later = replace(settings, home=settings.home / "later")

    assert found(checks.data_folder(later))["data folder"][0] == "ok"


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_a_data_folder_that_others_may_open_is_warned_of(settings):
    settings.home.chmod(0o755)

    status, words = found(checks.data_folder(settings))["data folder"]

    assert (status, words[-10:]) == ("warn", settings.home.as_posix()[-10:])


def test_a_file_in_the_place_of_the_data_folder_fails(settings):
    file = settings.home / "file"
    file.touch()

    rows = found(checks.data_folder(replace(settings, home=file)))

    assert rows == {"data folder": rows["data folder"]}
    assert rows["data folder"][0] == "fail"


@pytest.mark.parametrize(("free", "status"), [(10**8, "fail"), (10**9, "warn"), (10**11, "ok")])
def test_a_disk_that_fills_up_is_said_in_time(free, status):
    assert checks.disk(free).status == status


def test_a_database_is_made_at_the_first_start(settings):
    assert found(checks.database(settings))["database"][0] == "ok"


def test_a_file_that_is_no_database_fails(settings):
    settings.database_file.write_bytes(b"something else altogether")

    assert "no SQLite database" in found(checks.database(settings))["database"][1]


@pytest.mark.parametrize(("version", "status"), [("0001", "warn"), ("9999", "fail")])
def test_a_database_of_another_version_is_told(settings, version, status):
    with_version(settings, version)

    assert found(checks.database(settings))["database"][0] == status


def test_a_database_of_this_version_is_fine(settings):
    with_version(settings, head())

    assert found(checks.database(settings))["database"] == ("ok", f"opens, at version {head()}")


def test_a_database_without_its_tables_fails(settings):
    with closing(sqlite3.connect(settings.database_file)) as connection, connection:
        connection.execute("CREATE TABLE other (id INTEGER)")

    assert found(checks.database(settings))["database"][0] == "fail"


def test_a_server_of_a_database_that_does_not_run_fails(settings):
    away = replace(settings, database_url="postgresql://nobody@127.0.0.1:9/nothing")

    assert found(checks.database(away))["database"][0] == "fail"


def test_a_clock_before_this_version_was_made_is_wrong():
    assert found(checks.clock())["clock"][0] == "ok"
    assert found(checks.clock(datetime(2020, 1, 1, tzinfo=UTC)))["clock"][0] == "fail"
