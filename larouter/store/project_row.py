"""A project's row: what may be written into it, and the project that is read from it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from larouter.budget import check_zone
from larouter.core.account import UNKNOWN_MODEL, Project
from larouter.core.errors import BadRequest, StorageDown
from larouter.core.policy import Policy
from larouter.core.policy_json import changes_json, read_policy

MACHINE_ZONE = "default"
"""What a project says that has no time zone of its own."""
COLUMNS = "id, name, created_ms, aliases, unknown_model, policy, bias, zone, archived_ms"

ProjectTuple = tuple[str, str, int, str, str | None, str, float, str | None, int | None]
"""One row, in the order of `COLUMNS`."""

_MAX_NAME = 100
_MAX_ALIASES = 200
_MAX_MODEL_NAME = 256


def read_project(row: ProjectTuple) -> Project:
    """Raises `StorageDown` for a policy that this version cannot read: without it, something could
    leave this machine that is to stay on it."""
    id, name, created_ms, aliases, unknown_model, policy, bias, zone, archived_ms = row
    try:
        wanted = read_policy(json.loads(policy))
    except (BadRequest, ValueError) as error:
        raise StorageDown(
            f"The policy of the project {name!r} in the database cannot be read ({error}). It was "
            "left as it is; use the version of LARouter that wrote it, or a backup."
        ) from error
    return Project(
        id=id,
        name=name,
        created_ms=created_ms,
        aliases=json.loads(aliases),
        unknown_model=unknown_model,
        policy=wanted,
        bias=bias,
        zone=zone,
        archived_ms=archived_ms,
    )


def columns(
    name: str | None,
    aliases: Mapping[str, str] | None,
    unknown_model: str | None,
    policy: Policy | None,
    zone: str | None = None,
) -> dict[str, str | None]:
    """What to write, by column, for what is given. Raises `BadRequest`."""
    values: dict[str, str | None] = {}
    if name is not None:
        values["name"] = name_column(name)
    if aliases is not None:
        values["aliases"] = json.dumps(_checked_aliases(aliases))
    if unknown_model is not None:
        values["unknown_model"] = _unknown_model(unknown_model)
    if policy is not None:
        values["policy"] = json.dumps(changes_json(policy))
    if zone is not None:
        values["zone"] = None if zone == MACHINE_ZONE else check_zone(zone)
    return values


def name_column(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        raise BadRequest(f"A project's name has 1 to {_MAX_NAME} printable characters.")
    return name


def _checked_aliases(aliases: Mapping[str, str]) -> dict[str, str]:
    if len(aliases) > _MAX_ALIASES:
        raise BadRequest(f"A project has at most {_MAX_ALIASES} aliases.", param="aliases")
    for alias, model in aliases.items():
        for name in (alias, model):
            if not (name.strip() and len(name) <= _MAX_MODEL_NAME and name.isprintable()):
                raise BadRequest(
                    f"An alias and the model that it means have 1 to {_MAX_MODEL_NAME} printable "
                    "characters each.",
                    param="aliases",
                )
        if model in aliases:
            raise BadRequest(
                f"{alias!r} means {model!r}, which is an alias itself. Write the model that is "
                "meant in the end.",
                param="aliases",
            )
    return dict(aliases)


def _unknown_model(unknown_model: str) -> str | None:
    if unknown_model not in UNKNOWN_MODEL:
        raise BadRequest(
            f"unknown_model is one of {', '.join(UNKNOWN_MODEL)}.", param="unknown_model"
        )
    return None if unknown_model == "default" else unknown_model
