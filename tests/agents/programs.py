"""How each agent program is started and told to ask LARouter: as docs/clients.md says.

A program is what `requirements/setup.sh agents` has installed into `.agents` from package.json.
"""

import json
import re
import shutil
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_MODULES = _ROOT / ".agents" / "node_modules"
_PAGE = _ROOT / "docs" / "clients.md"

MODELS = {
    "anthropic": "claude-sonnet-5-5",
    "openai": "gpt-6.2-sol",
    "google": "gemini-4-argon",
    "deepseek": "deepseek-v4-pro",
}


def call(tool, **arguments):
    """Words that make a cloud call that tool."""
    return f"call {tool} {json.dumps(arguments, separators=(',', ':'))}"


class Place:
    """Where an agent works: LARouter's address, a bearer, an empty home, a folder for its files."""

    def __init__(self, url, bearer, folder):
        self.url = url
        self.bearer = bearer
        self.home = folder / "home"
        self.files = folder / "files"
        self.home.mkdir()
        self.files.mkdir()

    def setting(self, name, text):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def page(self, program, language, model):
        """What the page says to set, with this place's values."""
        text = _PAGE.read_text(encoding="utf-8")
        section = text[text.index(f"\n## {program}\n") + 1 :].partition("\n## ")[0]
        [fence] = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
        for said, meant in (
            ("http://127.0.0.1:18790", self.url),
            ("lr_YOUR_BEARER", self.bearer),
            ("frontier", model),
            ("complex", model),
        ):
            fence = fence.replace(said, meant)
        return fence

    def variables(self, program, model):
        return dict(re.findall(r"^export (\w+)=(\S+)", self.page(program, "sh", model), re.M))


def claude_code(place, prompt, model, more):
    """Anthropic's messages."""
    words = [
        *(_script("@anthropic-ai/claude-code/cli-wrapper.cjs"), "-p", prompt),
        *("--output-format", "json", "--dangerously-skip-permissions", *more),
    ]
    variables = {
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "IS_SANDBOX": "1",  # else it does not skip permissions for root
    }
    return ["node", *words], {**place.variables("Claude Code", model), **variables}


_ALONE = """
[features]
plugins = false  # else it asks for a list of them

[analytics]
enabled = false
"""


def codex(place, prompt, model, more):
    """OpenAI's Responses."""
    place.setting(".codex/config.toml", place.page("Codex", "toml", model) + _ALONE)
    words = [
        *(_script("@openai/codex/bin/codex.js"), "exec", "--skip-git-repo-check", "--json"),
        *("--dangerously-bypass-approvals-and-sandbox", *more, prompt),
    ]
    return ["node", *words], place.variables("Codex", model)


def gemini_cli(place, prompt, model, more):
    """Gemini's generateContent."""
    settings = {
        **json.loads(place.page("Gemini CLI", "json", model)),
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
        "privacy": {"usageStatisticsEnabled": False},
    }
    place.setting(".gemini/settings.json", json.dumps(settings))
    words = [
        *(_script("@google/gemini-cli/bundle/gemini.js"), "-p", prompt, "-m", model),
        *("--output-format", "json", "--yolo", "--skip-trust", *more),
    ]
    return ["node", *words], place.variables("Gemini CLI", model)


def opencode(place, prompt, model, more):
    """OpenAI's chat completions."""
    settings = {
        **json.loads(place.page("opencode", "json", model)),
        "autoupdate": False,
        "share": "disabled",
        "permission": "allow",
    }
    place.setting(".config/opencode/opencode.json", json.dumps(settings))
    variables = {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_LSP_DOWNLOAD": "1"}
    # One argument with spaces would come to the model in quotation marks.
    words = [_binary("opencode-*/bin/opencode"), "run", *more, *prompt.split(" ")]
    return words, {**place.variables("opencode", model), **variables}


def _script(name):
    if shutil.which("node") is None:
        pytest.skip("there is no node: agent programs need Node.js 20 or newer")
    return _installed(_MODULES / name)


def _binary(pattern):
    return _installed(next(_MODULES.glob(pattern), _MODULES / pattern))


def _installed(path):
    if not path.exists():
        parts = path.relative_to(_MODULES).parts
        package = "/".join(parts[: 2 if parts[0].startswith("@") else 1])
        pytest.skip(f"{package} is not installed: sh requirements/setup.sh agents")
    return str(path)
