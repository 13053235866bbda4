"""Settings: the only reader of the environment and the only module that computes a path."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platformdirs import user_data_path
from tzlocal import get_localzone_name

from larouter.model_settings import VARIABLES, ModelSettings, read_model_settings
from larouter.model_settings import SettingsError as SettingsError

DEFAULT_PORT = 18790
_MAX_KEY = 4096

_KEYS = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "deepseek": ("DEEPSEEK_API_KEY",),
}
_ADDRESSES = {
    "openai": "OPENAI_BASE_URL",
    "anthropic": "ANTHROPIC_BASE_URL",
    "google": "GOOGLE_GEMINI_BASE_URL",
    "deepseek": "DEEPSEEK_BASE_URL",
    "ollama": "LAROUTER_OLLAMA_URL",
    "llamacpp": "LAROUTER_LLAMACPP_URL",
    "custom": "LAROUTER_CUSTOM_URL",
}
_HUB = "https://huggingface.co"
_OURS = frozenset(
    {
        "LAROUTER_HOST",
        "LAROUTER_PORT",
        "LAROUTER_HOME",
        "LAROUTER_ADMIN_KEY",
        "LAROUTER_LOG_LEVEL",
        "LAROUTER_DATABASE_URL",
        "LAROUTER_DB_PATH",
        "LAROUTER_OLLAMA_URL",
        "LAROUTER_LLAMACPP_URL",
        "LAROUTER_CUSTOM_URL",
        "LAROUTER_KEYLESS",
        "LAROUTER_UNKNOWN_MODEL",
        "LAROUTER_JUDGE",
        "LAROUTER_JUDGE_MS",
        "LAROUTER_KEEP_DAYS",
        "LAROUTER_BEARER",
        "LAROUTER_NOTIFY",
        *VARIABLES,
    }
)
# What a child may see: enough to run, no provider's key (TRUST S6, A10), no module of its folder.
_CHILD = frozenset(
    {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "PYTHONPATH"}
    | {"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "OMP_NUM_THREADS", "VIRTUAL_ENV"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR"}
)
_SQLITE, _POSTGRES = "sqlite:///", ("postgresql://", "postgres://")
# What a program that shows notifications needs besides.
_DESKTOP = frozenset({"DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY",
                      "XDG_RUNTIME_DIR", "PATHEXT"})  # fmt: skip
_LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set from outside, read once. Defaults are for a laptop."""

    home: Path
    """The data folder: database, admin key, models, logs. Mode 0700."""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    admin_key: str | None = field(default=None, repr=False)
    """None: generated at first start and kept in the data folder."""
    bearer: str | None = field(default=None, repr=False)
    """For command-line calls only."""
    log_level: str = "info"
    database: Path | None = None
    """A SQLite file; None: `larouter.db` in the data folder."""
    database_url: str | None = field(default=None, repr=False)
    """A PostgreSQL database instead; its password may be in it."""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Provider name to key."""
    addresses: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Provider name to base URL."""
    keyless: bool = False
    """On loopback, a request without a bearer is the project `default`."""
    unknown_model: str = "reject"
    """`auto`: an unknown model name is routed as `auto`."""
    judge: bool = True
    """A local model that is loaded may be asked how hard an unclear request is."""
    judge_ms: int = 800
    """How long its answer is waited for."""
    keep_days: int | None = 90
    """How long requests are kept; None: for ever. Their sums always are."""
    hub: str = _HUB
    """Where models are downloaded from."""
    hub_token: str | None = field(default=None, repr=False)
    """For repositories that the hub does not show to everybody."""
    zone: str = "UTC"
    """This machine's time zone, by its IANA name: where no project says otherwise, its days and
    months begin at midnight there."""
    notify: bool = True
    """Alerts are shown on the desktop, where there is one."""
    models: ModelSettings = field(default_factory=ModelSettings)
    workers: int = 1
    """How many processes serve from this data folder (`serve --workers`)."""
    worker: int = 0
    """Which of several processes on this data folder it is (`serve --workers`)."""
    child_environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    desktop_environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    """URL scheme to proxy URL, with `no` for the hosts that need none."""

    @property
    def database_file(self) -> Path:
        return self.database or self.home / "larouter.db"

    def own_file(self, name: str) -> Path:
        """A file in the data folder that each process has for itself: `x.log`, `x-1.log`."""
        path = self.home / name
        return path.with_stem(f"{path.stem}-{self.worker}") if self.worker else path

    @property
    def backups(self) -> Path:
        """The folder of the database's copies."""
        return self.home / "backups"

    @property
    def is_loopback(self) -> bool:
        return self.host in {"127.0.0.1", "localhost", "::1"}

    @property
    def runtime_file(self) -> Path:
        """Written by `serve`: its address, for the command line and a second start."""
        return self.home / "runtime.json"


def use_one_thread(environ: MutableMapping[str, str] | None = None) -> None:
    """For numpy's library, which reads this as it is loaded: the classifier's products are small,
    and a pool of threads beside many greenlets would cost more than it brings."""
    env = os.environ if environ is None else environ
    env.setdefault("OPENBLAS_NUM_THREADS", "1")


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment; raises `SettingsError` for a value that makes no sense."""
    env = os.environ if environ is None else environ
    _refuse_unknown(env)
    notify = _one_of(env, "LAROUTER_NOTIFY", ("auto", "off"), "auto") == "auto"
    return Settings(
        home=_home(env),
        host=env.get("LAROUTER_HOST") or "127.0.0.1",
        port=_port(env.get("LAROUTER_PORT") or str(DEFAULT_PORT)),
        admin_key=env.get("LAROUTER_ADMIN_KEY") or None,
        bearer=env.get("LAROUTER_BEARER") or None,
        log_level=_one_of(env, "LAROUTER_LOG_LEVEL", _LOG_LEVELS, "info"),
        database=_database(env),
        database_url=_database_url(env),
        keys=_first_set(env, _KEYS),
        addresses={
            name: parse_url(variable, env[variable])
            for name, variable in _ADDRESSES.items()
            if env.get(variable)
        },
        keyless=_one_of(env, "LAROUTER_KEYLESS", ("0", "1"), "0") == "1",
        unknown_model=_one_of(env, "LAROUTER_UNKNOWN_MODEL", ("reject", "auto"), "reject"),
        judge=_one_of(env, "LAROUTER_JUDGE", ("auto", "off"), "auto") == "auto",
        judge_ms=_judge_ms(env.get("LAROUTER_JUDGE_MS") or "800"),
        keep_days=_keep_days(env.get("LAROUTER_KEEP_DAYS") or "90"),
        hub=parse_url("HF_ENDPOINT", env["HF_ENDPOINT"]) if env.get("HF_ENDPOINT") else _HUB,
        hub_token=parse_key("HF_TOKEN", env["HF_TOKEN"]) if env.get("HF_TOKEN") else None,
        zone=_machine_zone(),
        notify=notify,
        models=read_model_settings(env),
        child_environment=_child_environment(env),
        desktop_environment=_desktop_environment(env) if notify else {},
        proxies=_proxies(env),
    )


def _child_environment(env: Mapping[str, str]) -> dict[str, str]:
    kept = {n: v for n, v in env.items() if n in _CHILD or n.startswith("LC_")}
    return {"PYTHONSAFEPATH": "1", **kept}


def _desktop_environment(env: Mapping[str, str]) -> dict[str, str]:
    session = {name: value for name, value in env.items() if name in _DESKTOP}
    return {**_child_environment(env), **session}


def _machine_zone() -> str:
    """UTC where the system does not say, or says what nobody knows."""
    try:
        name = get_localzone_name() or "UTC"
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"
    return name


def folder(name: str) -> Path:
    """Return `templates`, `static` or `data`: in a wheel, a frozen build or a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def self_command(*arguments: str) -> list[str]:
    """The command line that starts this program again, frozen or not."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *arguments]
    return [sys.executable, "-m", "larouter", *arguments]


def import_path(environment: Mapping[str, str]) -> str:
    """A `PYTHONPATH` by which a child imports what this process runs, from a checkout too."""
    root = str(Path(__file__).resolve().parent.parent)
    inherited = environment.get("PYTHONPATH")
    return f"{root}{os.pathsep}{inherited}" if inherited else root


def shown_command() -> str:
    """What a person types for `larouter`: its path, where the shell would not find the name."""
    beside = Path(sys.executable).with_name("larouter")
    if shutil.which("larouter") or not beside.is_file():
        return "larouter"
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)


def make_private_folder(path: Path) -> None:
    """Create a folder that other users of this machine cannot open (TRUST S10)."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
    except OSError as error:
        raise SettingsError(
            f"The folder {path} cannot be used ({error.strerror}). Make it writable, or choose "
            "another data folder with LAROUTER_HOME."
        ) from error


def write_private_file(path: Path, content: bytes) -> None:
    """Replace a file in one step, readable by its owner only."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def parse_url(name: str, text: str) -> str:
    """Check an address that a setting or the admin gives; raises `SettingsError`."""
    text = text.strip()
    with contextlib.suppress(ValueError):  # half an IPv6 address, a port that is no number
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        if parts.query or parts.fragment or parts.username:
            raise SettingsError(f"{name} must be an address alone, without a login, '?' or '#'.")
        # It becomes part of a request's head, so what a head cannot hold is refused here.
        if known and text.isascii() and text.isprintable() and " " not in text:
            return text.rstrip("/")
    raise SettingsError(f"{name} is {text!r}; write an address such as http://127.0.0.1:8080/v1.")


def parse_key(name: str, text: str) -> str:
    """Check a provider's key; raises `SettingsError`, which does not repeat it (TRUST S6)."""
    key = text.strip()
    if not key:
        raise SettingsError(f"{name} is empty; copy the key again.")
    # It becomes part of a request's head, so what a head cannot hold is refused here.
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise SettingsError(
            f"{name} has a space or a character in it that no key has; copy the key again, alone."
        )
    if len(key) > _MAX_KEY:
        raise SettingsError(f"{name} is longer than {_MAX_KEY} characters; copy the key alone.")
    return key


def _home(env: Mapping[str, str]) -> Path:
    if env.get("LAROUTER_HOME"):
        return _path("LAROUTER_HOME", env["LAROUTER_HOME"])
    return user_data_path("larouter", appauthor=False)


def _refuse_unknown(env: Mapping[str, str]) -> None:
    # A misspelt setting that is silently ignored costs its user an evening.
    unknown = sorted(name for name in env if name.startswith("LAROUTER_") and name not in _OURS)
    if unknown:
        raise SettingsError(
            f"{unknown[0]} is not a setting of LARouter; docs/configuration.md lists them."
        )


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535:
        return int(text)
    raise SettingsError(f"LAROUTER_PORT is {text!r}; write a number from 0 to 65535.")


def _judge_ms(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 5 and 50 <= int(text) <= 10_000:
        return int(text)
    raise SettingsError(
        f"LAROUTER_JUDGE_MS is {text!r}; write a number of milliseconds from 50 to 10000, or turn "
        "the judge off with LAROUTER_JUDGE=off."
    )


def _keep_days(text: str) -> int | None:
    if text.lower() == "forever":
        return None
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) >= 1:
        return int(text)
    raise SettingsError(
        f"LAROUTER_KEEP_DAYS is {text!r}; write a number of days from 1, or forever."
    )


def _one_of(env: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = (env.get(name) or default).lower()
    if value not in allowed:
        raise SettingsError(f"{name} is {env[name]!r}; write one of {', '.join(allowed)}.")
    return value


def _database(env: Mapping[str, str]) -> Path | None:
    url, path = env.get("LAROUTER_DATABASE_URL"), env.get("LAROUTER_DB_PATH")
    if url and path:
        raise SettingsError(
            "LAROUTER_DATABASE_URL and LAROUTER_DB_PATH name two databases; leave one of them out."
        )
    if url and url.startswith(_SQLITE):
        return _path("LAROUTER_DATABASE_URL", url.removeprefix(_SQLITE))
    return _path("LAROUTER_DB_PATH", path) if path else None


def _database_url(env: Mapping[str, str]) -> str | None:
    """PostgreSQL's address, as its own programs take it; a password may be in it."""
    url = env.get("LAROUTER_DATABASE_URL")
    if not url or url.startswith(_SQLITE):
        return None
    if url.startswith(_POSTGRES):
        return url
    raise SettingsError(
        "LAROUTER_DATABASE_URL starts with sqlite:/// and a file, or is an address such as "
        "postgresql://user:password@host/database."
    )


def _path(name: str, text: str) -> Path:
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError:  # ~somebody who does not exist
        path = Path(text)
    if not text or not path.is_absolute() or "\0" in text:
        raise SettingsError(f"{name} names no file or folder; write a whole path.")
    return path


def _first_set(env: Mapping[str, str], names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    found = {}
    for provider, variables in names.items():
        given = next((name for name in variables if env.get(name, "").strip()), None)
        if given is not None:
            found[provider] = parse_key(given, env[given])
    return found


def _proxies(env: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name in ("http", "https", "no"):
        value = env.get(f"{name}_proxy") or env.get(f"{name.upper()}_PROXY")
        if value:
            found[name] = value if name == "no" else _proxy(f"{name}_proxy", value)
    return found


def _proxy(name: str, text: str) -> str:
    """A proxy's address; like curl, LARouter takes one without a scheme."""
    url = text if "://" in text else f"http://{text}"
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname and parts.port != 0:
            return url
    raise SettingsError(f"{name} is no proxy address; write one such as http://proxy.example:3128.")
