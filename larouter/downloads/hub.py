"""What a repository holds, by `huggingface-hub`: files, sizes, hashes, the commit of a revision.

Metadata only, in the worker alone: the library's own downloads do not resume, check no hash and
go by Xet (`docs/local-models.md`). It gets our connections: the proxies of the settings, the
system's certificates, no login of its own, nothing about this machine.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import httpx2
import msgspec
import truststore
from huggingface_hub import HfApi, set_client_factory
from huggingface_hub.errors import HfHubHTTPError

from larouter.downloads.failed import Again, Failed
from larouter.downloads.order import Piece
from larouter.downloads.source import CONNECT_S, Hub, no_answer, refusal
from larouter.outbound import host_of, look_up, proxies_for

_ANSWER_S = 15.0
_REDIRECTS = 5


def complete(hub: Hub, pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """The same files, with what only the hub knew; one question for each repository.

    Raises `Failed`, `Again`.
    """
    found: dict[tuple[str, str], Any] = {}
    done = []
    for piece in pieces:
        if not piece.is_known:
            key = (piece.repo, piece.revision)
            if key not in found:
                found[key] = _ask(hub, *key)
            piece = _with_facts(piece, found[key])
        done.append(piece)
    return tuple(done)


def list_files(hub: Hub, repo: str, revision: str) -> list[Piece]:
    """The GGUF files of a repository, with sizes and hashes where it states them.

    Raises `Failed`, `Again`.
    """
    info = _ask(hub, repo, revision)
    return [
        Piece(
            name=entry.rfilename.rpartition("/")[2],
            path=entry.rfilename,
            repo=repo,
            revision=str(info.sha),
            bytes=int(entry.size) if entry.size else None,
            sha256=str(entry.lfs.sha256) if entry.lfs is not None else None,
        )
        for entry in info.siblings or ()
        if entry.rfilename.endswith(".gguf") and info.sha
    ]


def _with_facts(piece: Piece, info: Any) -> Piece:
    path = piece.path or piece.name
    entry = next((one for one in info.siblings or () if one.rfilename == path), None)
    if entry is None:
        raise Failed(f"{piece.repo} has no file {path}.", code="hub_not_found")
    if entry.lfs is None or not entry.size or not info.sha:
        raise Failed(
            f"The hub states no SHA-256 of {path} in {piece.repo}, so it cannot be checked and is "
            "not downloaded.",
            code="hub_not_found",
        )
    size, sha256 = int(entry.size), str(entry.lfs.sha256)
    if piece.bytes not in {None, size} or piece.sha256 not in {None, sha256}:
        raise Failed(
            f"{path} in {piece.repo} is another file now than the catalogue says. A newer "
            "catalogue may name it.",
            code="wrong_file",
        )
    # The commit, so that a resumed download is of the same revision.
    return msgspec.structs.replace(piece, bytes=size, sha256=sha256, revision=str(info.sha))


def _ask(hub: Hub, repo: str, revision: str) -> Any:
    set_client_factory(lambda: _client(hub))
    api = HfApi(
        endpoint=hub.endpoint,
        token=hub.token or False,
        library_name="larouter",
        library_version="1",
    )
    try:
        return api.model_info(repo, revision=revision, files_metadata=True)
    except HfHubHTTPError as error:
        answer = error.response
        raise refusal(answer.status_code, answer.headers, repo, hub) from None
    except (httpx2.HTTPError, OSError) as error:
        raise no_answer(error, hub) from error
    except (KeyError, TypeError, ValueError) as error:
        raise Again(f"{host_of(hub.endpoint)} answers as no hub does") from error


def _client(hub: Hub) -> httpx2.Client:
    chosen = proxies_for(hub.endpoint, hub.proxies)
    scheme = hub.endpoint.partition(":")[0]

    def keep_to_the_rules(request: httpx2.Request) -> None:
        """For each redirect, too (TRUST S7); a login goes to no other host by itself."""
        if request.url.scheme != scheme:
            raise Failed(
                "The hub redirects to an address that is not safe to follow.", code="hub_redirects"
            )
        if not chosen:
            look_up(request.url.host)

    return httpx2.Client(
        timeout=httpx2.Timeout(_ANSWER_S, connect=CONNECT_S),
        follow_redirects=True,
        max_redirects=_REDIRECTS,
        trust_env=False,
        proxy=chosen.get(scheme),
        verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        event_hooks={"request": [keep_to_the_rules]},
    )
