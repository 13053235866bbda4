import json
import subprocess
import sys
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from larouter.core.errors import StorageDown
from larouter.secrets import Keys, Vault, admin_key

KEY = "sk-canary-91d7"
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


@pytest.fixture
def vault(tmp_path):
    """A vault on a machine that has no keyring."""
    return Vault(tmp_path, use_keyring=False)


class Shelf(KeyringBackend):
    """A keyring in memory; `lock` makes it one that nobody has unlocked."""

    priority = 9

    def __init__(self, priority=9):
        super().__init__()
        self.priority = priority
        self.kept = {}
        self.is_locked = False

    def _check(self):
        if self.is_locked:
            raise KeyringLocked("locked")

    def get_password(self, service, username):
        self._check()
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self._check()
        self.kept[service, username] = password

    def delete_password(self, service, username):
        self._check()
        del self.kept[service, username]


@pytest.fixture
def machine():
    """Give this machine another keyring."""
    before = keyring.get_keyring()

    def has(shelf):
        keyring.set_keyring(shelf)
        return shelf

    yield has
    keyring.set_keyring(before)


@pytest.fixture
def shelf(machine):
    return machine(Shelf())


def everything(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_at_first_there_is_no_key(vault, tmp_path):
    assert vault.names() == []
    assert vault.get("openai") is None
    assert list(tmp_path.iterdir()) == []


def test_without_a_keyring_a_key_is_in_a_file(vault):
    place = vault.set("openai", KEY)

    assert (place, vault.get("openai"), vault.names()) == ("file", KEY, ["openai"])


def test_a_key_outlives_the_process(vault, tmp_path):
    vault.set("openai", KEY)

    assert Vault(tmp_path, use_keyring=False).get("openai") == KEY


def test_a_key_is_nowhere_on_the_disk_as_it_is(vault, tmp_path):
    vault.set("openai", KEY)

    assert KEY.encode() not in everything(tmp_path)


def test_two_keys_that_are_the_same_are_sealed_differently(vault, tmp_path):
    vault.set("one", KEY)
    vault.set("two", KEY)

    sealed = json.loads((tmp_path / "keys.json").read_bytes())
    assert sealed["one"]["sealed"] != sealed["two"]["sealed"]


@posix
def test_the_files_are_their_owner_s_only(vault, tmp_path):
    vault.set("openai", KEY)

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"keys.json": 0o600, "keys.lock": 0o600}


def test_a_new_key_takes_the_old_one_s_place(vault):
    vault.set("openai", "old")

    vault.set("openai", KEY)

    assert (vault.get("openai"), vault.names()) == (KEY, ["openai"])


def test_a_deleted_key_is_gone(vault):
    vault.set("openai", KEY)
    vault.set("mine", KEY)

    vault.delete("openai")

    assert (vault.get("openai"), vault.names()) == (None, ["mine"])


def test_deleting_what_is_not_there_is_harmless(vault, tmp_path):
    vault.delete("openai")

    assert list(tmp_path.iterdir()) == []


def swap_the_names(folder):
    index = folder / "keys.json"
    entries = json.loads(index.read_bytes())
    index.write_text(json.dumps({"openai": entries["mine"], "mine": entries["openai"]}))


def cut_the_seal(folder):
    index = folder / "keys.json"
    index.write_text(json.dumps({"openai": {"sealed": "AAAA"}}))


def spoil_the_seal(folder):
    index = folder / "keys.json"
    index.write_text(json.dumps({"openai": {"sealed": "x"}}))


@pytest.mark.parametrize(
    "harm",
    [
        swap_the_names,
        cut_the_seal,
        spoil_the_seal,
        lambda folder: (folder / "keys.lock").write_bytes(b"0" * 32),
        lambda folder: (folder / "keys.lock").write_bytes(b"short"),
        lambda folder: (folder / "keys.lock").unlink(),
    ],
)
def test_a_key_that_cannot_be_read_is_none_and_said(harm, vault, tmp_path, caplog):
    vault.set("openai", KEY)
    vault.set("mine", "another")
    harm(tmp_path)

    assert vault.get("openai") is None
    assert caplog.messages == ["the key of openai cannot be read any more; add it again"]


def test_a_key_is_added_again_after_it_could_not_be_read(vault, tmp_path):
    vault.set("openai", KEY)
    (tmp_path / "keys.lock").unlink()
    vault.get("openai")

    vault.set("openai", KEY)

    assert vault.get("openai") == KEY


def test_a_keyring_keeps_the_key(shelf, tmp_path):
    vault = Vault(tmp_path)

    place = vault.set("openai", KEY)

    assert (place, vault.get("openai"), vault.names()) == ("keyring", KEY, ["openai"])
    assert shelf.kept == {("larouter", "openai"): KEY}
    assert KEY.encode() not in everything(tmp_path)


def test_a_key_is_deleted_from_the_keyring_too(shelf, tmp_path):
    vault = Vault(tmp_path)
    vault.set("openai", KEY)

    vault.delete("openai")

    assert (shelf.kept, vault.names()) == ({}, [])


def test_a_placeholder_of_a_keyring_keeps_nothing(machine, tmp_path):
    shelf = machine(Shelf(priority=0))

    assert Vault(tmp_path).set("openai", KEY) == "file"
    assert shelf.kept == {}


def test_a_keyring_that_is_locked_keeps_nothing(shelf, tmp_path):
    shelf.is_locked = True
    vault = Vault(tmp_path)

    assert vault.set("openai", KEY) == "file"
    assert vault.get("openai") == KEY


def test_a_key_in_a_locked_keyring_is_none_for_now(shelf, tmp_path, caplog):
    vault = Vault(tmp_path)
    vault.set("openai", KEY)

    shelf.is_locked = True
    locked = vault.get("openai")
    shelf.is_locked = False

    assert (locked, vault.get("openai")) == (None, KEY)
    assert KEY not in caplog.text


def test_a_key_can_be_forgotten_while_the_keyring_is_locked(shelf, tmp_path):
    vault = Vault(tmp_path)
    vault.set("openai", KEY)
    shelf.is_locked = True

    vault.delete("openai")

    assert vault.names() == []


def test_a_start_without_keys_imports_no_keyring(tmp_path):
    script = (
        "import sys; from pathlib import Path; from larouter.secrets import Vault;"
        f"Vault(Path({str(tmp_path)!r})).get('openai');"
        "print([name for name in ('keyring', 'cryptography') if name in sys.modules])"
    )

    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout == "[]\n"


def test_an_admin_key_that_is_given_is_not_written_down(tmp_path):
    assert admin_key(tmp_path, "own") == "own"
    assert list(tmp_path.iterdir()) == []


def test_an_admin_key_is_made_once(tmp_path):
    first = admin_key(tmp_path, None)

    assert first.startswith("lra_")
    assert len(first) >= 40
    assert admin_key(tmp_path, None) == first


def test_each_data_folder_has_its_own_admin_key(tmp_path):
    (tmp_path / "other").mkdir()

    assert admin_key(tmp_path, None) != admin_key(tmp_path / "other", None)


@posix
def test_the_admin_key_s_file_is_its_owner_s_only(tmp_path):
    admin_key(tmp_path, None)

    assert (tmp_path / "admin.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "\n", "  \n"])
def test_an_empty_admin_key_opens_nothing(content, tmp_path):
    (tmp_path / "admin.key").write_text(content)

    key = admin_key(tmp_path, None)

    assert len(key) >= 40
    assert admin_key(tmp_path, None) == key


@pytest.mark.parametrize("content", [b'{"openai": {"sea', b"[]", b"\xff"])
def test_a_damaged_list_of_keys_is_left_as_it_is(content, vault, tmp_path, caplog):
    (tmp_path / "keys.json").write_bytes(content)

    assert vault.get("openai") is None
    assert "damaged" in caplog.text
    with pytest.raises(StorageDown, match="damaged"):
        vault.set("openai", KEY)
    assert (tmp_path / "keys.json").read_bytes() == content


def test_the_environment_s_key_is_the_one_that_is_used(vault):
    keys = Keys({"openai": "of the environment"}, vault)
    keys.set("openai", KEY)
    keys.set("mine", "another")

    assert (keys.get("openai"), keys.get("mine")) == ("of the environment", "another")
    assert (keys.place("openai"), keys.place("mine")) == ("environment", "file")
    assert (keys.place("deepseek"), keys.get("deepseek")) == ("none", None)
    assert [keys.is_kept(name) for name in ("openai", "mine", "deepseek")] == [True, True, False]


def test_a_key_in_the_keyring_is_said_to_be_there(shelf, tmp_path):
    keys = Keys({}, Vault(tmp_path))

    assert (keys.set("openai", KEY), keys.place("openai")) == ("keyring", "keyring")


def test_a_forgotten_key_is_nowhere(vault):
    keys = Keys({}, vault)
    keys.set("openai", KEY)

    keys.delete("openai")

    assert (keys.get("openai"), keys.place("openai")) == (None, "none")


def test_whoever_hides_keys_knows_those_that_were_in_hand(vault):
    keys = Keys({"openai": "one"}, vault)
    keys.set("mine", KEY)
    before = keys.known()

    keys.get("mine")
    keys.delete("mine")

    # A forgotten key is still one that a log must not show.
    assert before == {"one"}
    assert keys.known() == {"one", KEY}


def test_keys_show_names_only(vault):
    keys = Keys({"openai": KEY}, vault)
    keys.set("mine", KEY)

    assert repr(keys) == "<Keys of mine, openai>"
