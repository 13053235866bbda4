"""Which models a repository has: asked in a child, as the hub's library is large and imported once.

`python -m larouter.downloads.asking` gets its question as JSON on stdin and answers with one line.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence

import msgspec

from larouter.config import import_path
from larouter.core.errors import Forbidden, LARouterError, NotFound, UpstreamError
from larouter.downloads.failed import Again, Failed
from larouter.downloads.order import Piece
from larouter.downloads.process import HUB_ENVIRONMENT
from larouter.downloads.source import Hub

_LIMIT_S = 25.0
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
# Of a model in parts no engine here is given all, and what turns pictures into tokens is no model.
_NO_MODEL = re.compile(r"-\d{5}-of-\d{5}\.gguf$|(^|/)mmproj", re.IGNORECASE)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """The line on stdin."""

    endpoint: str
    repo: str
    revision: str
    token: str | None = None
    proxies: dict[str, str] = {}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The line on stdout: files that may be downloaded, or why not."""

    files: tuple[Piece, ...] = ()
    code: str | None = None
    message: str = ""


class Asking:
    """Asks on behalf of the server, which waits without being held up."""

    def __init__(
        self,
        hub: Hub,
        environment: Mapping[str, str],
        *,
        python: Sequence[str] = (sys.executable,),
    ) -> None:
        self._hub = hub
        self._environment = {
            **environment,
            **HUB_ENVIRONMENT,
            "PYTHONPATH": import_path(environment),
        }
        self._command = [*python, "-m", "larouter.downloads.asking"]

    def models(self, repo: str, revision: str = "main") -> tuple[Piece, ...]:
        """The repository's GGUF files that are models. Raises `LARouterError`."""
        question = Question(
            endpoint=self._hub.endpoint,
            repo=repo,
            revision=revision,
            token=self._hub.token,
            proxies=dict(self._hub.proxies),
        )
        try:
            done = subprocess.run(  # noqa: S603 - ourselves
                self._command,
                input=msgspec.json.encode(question),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a traceback there may quote the token
                env=self._environment,
                timeout=_LIMIT_S,
                creationflags=_NO_WINDOW,
                check=False,
            )
            answer = msgspec.json.decode(done.stdout, type=Answer)
        except (subprocess.TimeoutExpired, msgspec.MsgspecError):
            answer = Answer(code="hub_failing", message="The hub did not answer; try again.")
        if answer.code is not None:
            raise _error(answer.code, answer.message)
        return answer.files


def answer(question: Question) -> Answer:
    """Ask the hub."""
    from larouter.downloads.hub import list_files  # noqa: PLC0415 - it takes half a second

    hub = Hub(endpoint=question.endpoint, token=question.token, proxies=question.proxies)
    try:
        found = list_files(hub, question.repo, question.revision)
    except Failed as fault:
        return Answer(code=fault.code, message=fault.message)
    except Again as fault:
        return Answer(code="hub_failing", message=f"{fault.why}. Try again later.")
    models = [piece for piece in found if piece.is_known and not _NO_MODEL.search(piece.path)]
    return Answer(files=tuple(models))


def _error(code: str, message: str) -> LARouterError:
    if code == "hub_not_found":
        return NotFound(message, code=code, param="id")
    if code in {"hub_token", "hub_gated"}:
        return Forbidden(message, code=code, param="id")
    return UpstreamError(message, code=code, sent=False)


def main() -> None:
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    sys.stdout.write(json.dumps(msgspec.to_builtins(answer(question))))


if __name__ == "__main__":
    main()
