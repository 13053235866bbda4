import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from larouter import config
from larouter.config import (
    DEFAULT_PORT,
    Settings,
    SettingsError,
    folder,
    import_path,
    make_private_folder,
    parse_key,
    parse_url,
    read_settings,
    self_command,
    write_private_file,
)

KEY = "sk-canary-5f2c"
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


def read(**variables):
    return read_settings(variables)


def fault(**variables):
    with pytest.raises(SettingsError) as caught:
        read_settings(variables)
    return str(caught.value)


def test_nothing_has_to_be_set():
    settings = read()

    assert (settings.host, settings.port, settings.log_level) == ("127.0.0.1", 18790, "info")
    assert (settings.admin_key, settings.bearer, settings.database) == (None, None, None)
    assert (settings.keys, settings.addresses, settings.proxies) == ({}, {}, {})
    assert (settings.keyless, settings.unknown_model) == (False, "reject")
    assert (settings.judge, settings.judge_ms) == (True, 800)
    assert settings.home.is_absolute()


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("LAROUTER_HOST", "::1", "host", "::1"),
        ("LAROUTER_PORT", "0", "port", 0),
        ("LAROUTER_PORT", "65535", "port", 65535),
        ("LAROUTER_HOME", "/data/larouter", "home", Path("/data/larouter").absolute()),
        ("LAROUTER_ADMIN_KEY", "lra_own", "admin_key", "lra_own"),
        ("LAROUTER_BEARER", "lr_own", "bearer", "lr_own"),
        ("LAROUTER_LOG_LEVEL", "DEBUG", "log_level", "debug"),
        ("LAROUTER_NOTIFY", "off", "notify", False),
        ("LAROUTER_DB_PATH", "/data/a.db", "database", Path("/data/a.db").absolute()),
        ("LAROUTER_DATABASE_URL", "sqlite:////a/b.db", "database", Path("/a/b.db").absolute()),
        ("LAROUTER_DATABASE_URL", "sqlite:///b.db", "database", Path("b.db").absolute()),
        ("OPENAI_API_KEY", KEY, "keys", {"openai": KEY}),
        ("ANTHROPIC_API_KEY", KEY, "keys", {"anthropic": KEY}),
        ("GOOGLE_API_KEY", KEY, "keys", {"google": KEY}),
        ("GEMINI_API_KEY", KEY, "keys", {"google": KEY}),
        ("DEEPSEEK_API_KEY", f" {KEY}\n", "keys", {"deepseek": KEY}),
        ("OPENAI_BASE_URL", "https://a.b/v1/", "addresses", {"openai": "https://a.b/v1"}),
        ("ANTHROPIC_BASE_URL", "https://a.b", "addresses", {"anthropic": "https://a.b"}),
        ("GOOGLE_GEMINI_BASE_URL", "https://a.b", "addresses", {"google": "https://a.b"}),
        ("DEEPSEEK_BASE_URL", "https://a.b", "addresses", {"deepseek": "https://a.b"}),
        ("LAROUTER_OLLAMA_URL", "http://[::1]:1", "addresses", {"ollama": "http://[::1]:1"}),
        ("LAROUTER_LLAMACPP_URL", "http://a:8080", "addresses", {"llamacpp": "http://a:8080"}),
        ("LAROUTER_CUSTOM_URL", "http://a/v1", "addresses", {"custom": "http://a/v1"}),
        ("LAROUTER_KEYLESS", "1", "keyless", True),
        ("LAROUTER_KEYLESS", "0", "keyless", False),
        ("LAROUTER_UNKNOWN_MODEL", "auto", "unknown_model", "auto"),
        ("LAROUTER_UNKNOWN_MODEL", "reject", "unknown_model", "reject"),
        ("LAROUTER_JUDGE", "auto", "judge", True),
        ("LAROUTER_JUDGE", "OFF", "judge", False),
        ("LAROUTER_JUDGE_MS", "50", "judge_ms", 50),
        ("LAROUTER_JUDGE_MS", "10000", "judge_ms", 10_000),
        ("LAROUTER_KEEP_DAYS", "1", "keep_days", 1),
        ("LAROUTER_KEEP_DAYS", "Forever", "keep_days", None),
        ("https_proxy", "http://p:3128", "proxies", {"https": "http://p:3128"}),
        ("HTTP_PROXY", "http://p:3128", "proxies", {"http": "http://p:3128"}),
        ("NO_PROXY", "a,b", "proxies", {"no": "a,b"}),
    ],
)
def test_a_variable_sets_what_it_names(variable, text, name, value):
    assert getattr(read(**{variable: text}), name) == value


@pytest.mark.parametrize("variable", sorted(config._OURS))
def test_an_empty_variable_is_not_set(variable):
    assert read(**{variable: ""}) == read()


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("LAROUTER_PORT", "http"),
        ("LAROUTER_PORT", "65536"),
        ("LAROUTER_PORT", "-1"),
        ("LAROUTER_PORT", "١٢"),
        ("LAROUTER_PORT", "9" * 5000),
        ("LAROUTER_LOG_LEVEL", "loud"),
        ("LAROUTER_KEYLESS", "yes"),
        ("LAROUTER_UNKNOWN_MODEL", "ignore"),
        ("LAROUTER_JUDGE", "on"),
        ("LAROUTER_JUDGE_MS", "49"),
        ("LAROUTER_KEEP_DAYS", "0"),
        ("LAROUTER_KEEP_DAYS", "never"),
        ("LAROUTER_KEEP_DAYS", "1e3"),
        ("LAROUTER_JUDGE_MS", "10001"),
        ("LAROUTER_JUDGE_MS", "0.8"),
        ("LAROUTER_JUDGE_MS", "١٢٣"),
        ("LAROUTER_JUDGE_MS", "9" * 5000),
        ("LAROUTER_HOME", "~nobody-of-that-name/data"),
        ("LAROUTER_HOME", "/a\0b"),
        ("LAROUTER_DB_PATH", "~nobody-of-that-name/a.db"),
        ("LAROUTER_DATABASE_URL", "postgresql+psycopg://host/larouter"),
        ("LAROUTER_DATABASE_URL", "/data/a.db"),
        ("LAROUTER_DATABASE_URL", "sqlite:///"),
        ("OPENAI_BASE_URL", "api.openai.com"),
        ("ANTHROPIC_BASE_URL", "ftp://a.b"),
        ("GOOGLE_GEMINI_BASE_URL", "https://"),
        ("DEEPSEEK_BASE_URL", "https://[::1"),
        ("LAROUTER_OLLAMA_URL", "127.0.0.1:11434"),
        ("LAROUTER_LLAMACPP_URL", "http://a:port"),
        ("LAROUTER_CUSTOM_URL", "http://a:99999"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(variable, text):
    assert fault(**{variable: text}).startswith(variable)


@pytest.mark.parametrize("name", ["LAROUTER_PROT", "LAROUTER_", "LAROUTER_port"])
def test_a_misspelt_setting_is_refused_by_name(name):
    message = fault(**{name: "1"})

    assert message.startswith(f"{name} is not a setting")
    assert "docs/configuration.md" in message


@pytest.mark.parametrize("name", ["LAROUTERS_PORT", "MY_LAROUTER_PORT", "PORT"])
def test_other_programs_settings_are_theirs(name):
    assert read(**{name: "nonsense"}) == read()


@pytest.mark.parametrize("blank", ["", "  "])
def test_the_first_key_that_is_set_counts(blank):
    both = read(GOOGLE_API_KEY=KEY, GEMINI_API_KEY="other")

    assert both.keys == {"google": KEY}
    assert read(GOOGLE_API_KEY=blank, GEMINI_API_KEY=KEY).keys == {"google": KEY}


def test_a_blank_key_is_none():
    assert read(OPENAI_API_KEY="  ").keys == {}


def test_a_database_s_address_may_name_a_file():
    settings = read(LAROUTER_DATABASE_URL="sqlite:////a/url.db")

    assert settings.database_file == Path("/a/url.db").absolute()
    assert settings.database_url is None


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_database_s_address_may_name_a_server(scheme):
    settings = read(LAROUTER_DATABASE_URL=f"{scheme}://me:secret@host/larouter")

    assert settings.database_url == f"{scheme}://me:secret@host/larouter"
    assert settings.database is None
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("url", ["sqlite:////a/url.db", "postgresql://host/larouter"])
def test_two_databases_are_one_too_many(url):
    with pytest.raises(SettingsError, match="two databases"):
        read(LAROUTER_DATABASE_URL=url, LAROUTER_DB_PATH="/a/path.db")


def test_the_data_folder_holds_database_and_runtime_file():
    settings = read(LAROUTER_HOME="/data")

    assert settings.database_file == Path("/data/larouter.db").absolute()
    assert settings.runtime_file == Path("/data/runtime.json").absolute()


def test_a_database_may_lie_elsewhere():
    assert read(LAROUTER_HOME="/data", LAROUTER_DB_PATH="/b.db").database_file.name == "b.db"


def test_a_path_may_begin_with_the_home_folder():
    assert read(LAROUTER_HOME="~/larouter").home == Path.home() / "larouter"


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("127.0.0.1", True), ("::1", True), ("localhost", True),
        ("0.0.0.0", False), ("::", False), ("192.0.2.1", False), ("127.0.0.1.nip.io", False),
    ],
)  # fmt: skip
def test_only_this_machine_is_loopback(host, is_loopback):
    assert read(LAROUTER_HOST=host).is_loopback == is_loopback


SECRETS = {
    "OPENAI_API_KEY": KEY,
    "ANTHROPIC_API_KEY": KEY,
    "GEMINI_API_KEY": KEY,
    "DEEPSEEK_API_KEY": KEY,
    "LAROUTER_ADMIN_KEY": KEY,
    "LAROUTER_BEARER": KEY,
    "LAROUTER_CUSTOM_URL": f"https://host/{KEY}/v1",
    "HTTPS_PROXY": f"http://user:{KEY}@proxy",
}


def test_no_repr_shows_a_key():
    settings = read(**SECRETS, PATH="/bin")

    assert KEY not in repr(settings)
    assert KEY not in str(settings)


def test_a_child_sees_no_key():
    environment = read(**SECRETS, PATH="/bin", LC_ALL="C", HF_TOKEN=KEY).child_environment

    assert environment == {"PATH": "/bin", "LC_ALL": "C", "PYTHONSAFEPATH": "1"}


@pytest.mark.parametrize("name", ["OPENAI_BASE_URL", "AWS_SECRET_ACCESS_KEY", "LD_PRELOAD", "X"])
def test_a_child_sees_nothing_that_is_not_listed(name):
    assert read(**{name: "https://a.b"}).child_environment == {"PYTHONSAFEPATH": "1"}


def test_without_a_mapping_the_process_s_environment_is_read(monkeypatch):
    monkeypatch.setenv("LAROUTER_PORT", "4242")

    assert read_settings().port == 4242


def test_settings_are_not_changed_in_place():
    with pytest.raises(AttributeError):
        read().port = 1


def test_defaults_do_not_depend_on_where_they_are_read():
    assert Settings(home=Path("/a")).port == DEFAULT_PORT == read().port


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        (" https://a.b/v1// ", "https://a.b/v1"),
        ("HTTPS://A.b", "HTTPS://A.b"),
    ],
)
def test_an_address_is_kept_without_its_last_slash(text, address):
    assert parse_url("url", text) == address


@pytest.mark.parametrize("text", ["", "a", "//a", "file:///etc/passwd", "http://a:0", "http://:80"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(SettingsError, match=r"^url is"):
        parse_url("url", text)


@pytest.mark.parametrize("name", ["templates", "static", "data"])
def test_what_ships_is_found(name):
    assert folder(name).is_dir()


def test_this_program_can_be_started_again():
    result = subprocess.run(
        self_command("--help"),
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "serve" in result.stdout


@posix
def test_a_private_folder_is_its_owner_s_only(tmp_path):
    make_private_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


@posix
def test_a_folder_that_was_open_to_others_is_closed(tmp_path):
    (tmp_path / "a").mkdir(mode=0o755)

    make_private_folder(tmp_path / "a")

    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


@posix
@pytest.mark.parametrize("before", [None, 0o644])
def test_a_private_file_is_its_owner_s_only(before, tmp_path):
    path = tmp_path / "a"
    if before:
        path.touch(mode=before)

    write_private_file(path, b"x")

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_private_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a"
    write_private_file(path, b"a long text")

    write_private_file(path, b"short")

    assert path.read_bytes() == b"short"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_part_that_a_crash_left_does_no_harm(tmp_path):
    (tmp_path / "a.part").write_bytes(b"half of something longer")

    write_private_file(tmp_path / "a", b"whole")

    assert (tmp_path / "a").read_bytes() == b"whole"


def test_arithmetic_asks_for_one_thread_unless_somebody_said_otherwise():
    nothing: dict[str, str] = {}
    said = {"OPENBLAS_NUM_THREADS": "4"}
    for environment in (nothing, said):
        config.use_one_thread(environment)

    assert nothing == {"OPENBLAS_NUM_THREADS": "1"}
    assert said == {"OPENBLAS_NUM_THREADS": "4"}


def test_the_environment_has_one_reader():
    package = Path(config.__file__).parent
    readers = [
        path.name
        for path in package.rglob("*.py")
        if re.search(r"os\.(environ|getenv)|expandvars", path.read_text("utf-8"))
    ]

    assert readers == ["config.py"]


@pytest.mark.parametrize(
    "url", ["https://u:p@host/v1", "https://host/v1?version=3", "https://host/v1#part"]
)
def test_an_address_carries_neither_login_nor_question(url):
    assert "LAROUTER_CUSTOM_URL" in fault(LAROUTER_CUSTOM_URL=url)


@pytest.mark.parametrize(
    "key", ["sk-\u201cquoted\u201d", "sk-1\r\nX-Evil: 1", "sk-1 sk-2", "sk-\t1", "x" * 4097]
)
def test_a_key_with_impossible_characters_is_refused_by_name(key):
    message = fault(OPENAI_API_KEY=key)

    assert message.startswith("OPENAI_API_KEY ")
    assert key not in message


def test_a_key_is_refused_by_the_name_that_it_came_by():
    assert fault(GEMINI_API_KEY="two words").startswith("GEMINI_API_KEY ")


def test_a_key_that_is_empty_is_none():
    with pytest.raises(SettingsError, match="The key is empty"):
        parse_key("The key", " \n")


def test_a_child_imports_what_we_run():
    root = str(Path(__file__).resolve().parents[1])

    assert import_path({}) == root
    assert import_path({"PYTHONPATH": "/x"}) == f"{root}{os.pathsep}/x"


def test_a_proxy_may_come_without_its_scheme():
    settings = read(HTTPS_PROXY="proxy.example:3128", NO_PROXY="a.example")

    assert settings.proxies == {"https": "http://proxy.example:3128", "no": "a.example"}


@pytest.mark.parametrize("proxy", ["http://proxy:abc", "socks5://proxy:1", "http://"])
def test_what_is_no_proxy_is_refused_by_name(proxy):
    assert "https_proxy" in fault(HTTPS_PROXY=proxy)
