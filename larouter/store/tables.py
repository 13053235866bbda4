"""Every table. Times are Unix milliseconds in UTC, money is integer nano-dollars (TRUST B1, B2).

Change a table here and in a new file of `migrations/versions` in the same commit; a test
compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    Float,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from larouter.store.alert_tables import AlertRow as AlertRow
from larouter.store.alert_tables import DeliveryRow as DeliveryRow
from larouter.store.alert_tables import WebhookRow as WebhookRow
from larouter.store.row import Row as Row
from larouter.store.row import Serial


class ProjectRow(Row):
    __tablename__ = "project"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    created_ms: Mapped[int]
    deleted_ms: Mapped[int | None]
    """Its requests stay, for the bills; its bearers stop."""
    aliases: Mapped[str] = mapped_column(Text, server_default="{}")
    """JSON: a model's name as the project writes it, and the name that is meant."""
    unknown_model: Mapped[str | None] = mapped_column(String(10))
    """`auto` or `reject`; None: as the setting says."""
    policy: Mapped[str] = mapped_column(Text, server_default="{}")
    """JSON: what the project's policy has that is not the default."""
    bias: Mapped[float] = mapped_column(Float, server_default="0")
    """What the project's feedback has taught (`core.learning`)."""
    zone: Mapped[str | None] = mapped_column(String(60))
    """IANA; in it the project's days and months begin. None: this machine's."""
    archived_ms: Mapped[int | None]
    """Put away: its bearers are refused, everything else stays."""


class BearerRow(Row):
    __tablename__ = "bearer"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    """Never the bearer itself (TRUST S4)."""
    created_ms: Mapped[int]
    expires_ms: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(100), server_default="main")
    """One of its own among the project's bearers that are not revoked."""
    begins: Mapped[str] = mapped_column(String(12), server_default="lr_")
    """Its first characters, to know it by."""
    granted: Mapped[int] = mapped_column(server_default="0")
    """1: for command-line calls, and gone when it has expired."""
    last_used_ms: Mapped[int | None]
    """To the minute."""
    revoked_ms: Mapped[int | None]
    """The row stays, so that usage by bearer has its name."""


class RunRow(Row):
    __tablename__ = "run"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    started_ms: Mapped[int]
    heartbeat_ms: Mapped[int]
    """A lease: a run that has not renewed it for long is gone (TRUST B10)."""
    ended_ms: Mapped[int | None]


class PriceVersionRow(Row):
    __tablename__ = "price_version"
    __table_args__ = (UniqueConstraint("model", "effective_ms"),)

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    model: Mapped[str] = mapped_column(String(300))
    """`provider/model`."""
    effective_ms: Mapped[int]
    price: Mapped[str] = mapped_column(Text)
    """JSON: decimals as text, with source and date. Immutable (TRUST B13)."""


class RequestRow(Row):
    """One client call. Its id begins with its time, so that a new row is always the last one:
    no index by time is needed, and an insert touches one page."""

    __tablename__ = "request"
    __table_args__ = ({"sqlite_with_rowid": False},)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    rid: Mapped[str | None] = mapped_column(String(200))
    asked: Mapped[str] = mapped_column(String(300))
    tier: Mapped[str] = mapped_column(String(40))
    stage: Mapped[str] = mapped_column(String(20))
    score: Mapped[float] = mapped_column(Float)
    reason: Mapped[str] = mapped_column(Text)
    stream: Mapped[int]
    started_ms: Mapped[int]
    ended_ms: Mapped[int | None]
    status: Mapped[int | None]
    """HTTP status as told to the client, 499 when it left; None while the request is open."""
    error: Mapped[str | None] = mapped_column(String(100))
    model: Mapped[str | None] = mapped_column(String(300))
    """`provider/model` of the attempt that ended it; while it is open, of the last one."""
    degraded: Mapped[str | None] = mapped_column(String(40))
    bearer_id: Mapped[str | None] = mapped_column(String(40))
    baseline_nusd: Mapped[int | None]
    """What a saving is measured against; None: it is open, or was written by an older version."""
    numbers: Mapped[str | None] = mapped_column(Text)
    """JSON of `core.route.Numbers`; None: it was written by an older version, or not decided."""


class AttemptRow(Row):
    """One call of one provider."""

    __tablename__ = "attempt"
    __table_args__ = (
        Index("attempt_request", "request_id"),
        Index("attempt_open", "state", sqlite_where=text("state = 'pending'")),
    )

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("request.id"))
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    provider: Mapped[str] = mapped_column(String(100))
    provider_id: Mapped[str | None] = mapped_column(String(300))
    model: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(12))
    price_version: Mapped[int | None] = mapped_column(ForeignKey("price_version.id"))
    hold_nusd: Mapped[int | None]
    cost_nusd: Mapped[int | None]
    """None with a final state: the price is unknown (TRUST B13, `unpriced`)."""
    input: Mapped[int] = mapped_column(default=0)
    cache_read: Mapped[int] = mapped_column(default=0)
    cache_write_5m: Mapped[int] = mapped_column(default=0)
    cache_write_1h: Mapped[int] = mapped_column(default=0)
    output: Mapped[int] = mapped_column(default=0)
    audio: Mapped[int] = mapped_column(default=0)
    image: Mapped[int] = mapped_column(default=0)
    overrun: Mapped[int] = mapped_column(server_default="0")
    """1: it cost more than the most that it should have (TRUST B5)."""
    service: Mapped[str | None] = mapped_column(String(40))
    """The tier of the provider's service that was asked for; it is part of the price."""
    started_ms: Mapped[int]
    first_ms: Mapped[int | None]
    ended_ms: Mapped[int | None]


class EntryRow(Row):
    __tablename__ = "ledger_entry"
    __table_args__ = (UniqueConstraint("attempt_id", "kind"),)

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"))
    kind: Mapped[str] = mapped_column(String(20))
    """`settle`, or a later correction. Rows are appended, never changed."""
    cost_nusd: Mapped[int]
    created_ms: Mapped[int]


class BudgetRow(Row):
    """One limit (`core.budget.Budget`). Kept when it is removed: its windows are history."""

    __tablename__ = "budget"

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"))
    """None: for the whole machine."""
    name: Mapped[str] = mapped_column(String(100))
    metric: Mapped[str] = mapped_column(String(10))
    cap: Mapped[int]
    period: Mapped[str] = mapped_column(String(10))
    scope: Mapped[str] = mapped_column(String(10))
    of: Mapped[str] = mapped_column(String(300))
    hard: Mapped[int]
    alerts: Mapped[str] = mapped_column(String(60))
    """Per cents, with commas between."""
    created_ms: Mapped[int]
    removed_ms: Mapped[int | None]


class BudgetWindowRow(Row):
    """What one budget has spent and holds in one of its periods (TRUST B4, B12)."""

    __tablename__ = "budget_window"
    __table_args__ = ({"sqlite_with_rowid": False},)

    budget_id: Mapped[int] = mapped_column(ForeignKey("budget.id"), primary_key=True)
    start_ms: Mapped[int] = mapped_column(primary_key=True)
    end_ms: Mapped[int]
    opening: Mapped[int]
    """What had been spent in this period when the budget was made."""
    spent: Mapped[int]
    reserved: Mapped[int]
    blocked: Mapped[int]
    """1: a call cost more than it held; nothing passes until somebody has looked (TRUST B5)."""


class HoldRow(Row):
    """What one attempt holds of one budget's window, and what it took of it in the end."""

    __tablename__ = "hold"
    __table_args__ = (
        Index("hold_window", "budget_id", "start_ms"),
        {"sqlite_with_rowid": False},
    )

    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    budget_id: Mapped[int] = mapped_column(ForeignKey("budget.id"), primary_key=True)
    start_ms: Mapped[int]
    amount: Mapped[int]
    spent: Mapped[int | None]
    """None while the attempt is open."""
    firm: Mapped[int] = mapped_column(server_default="1")
    """0: the budget was made, or made hard, when the call was under way (`core.budget.Held`)."""


class _UsageRow:
    """What was used in some stretch of time by one project, tier, model and bearer."""

    tier: Mapped[str] = mapped_column(String(40), primary_key=True)
    model: Mapped[str] = mapped_column(String(300), primary_key=True)
    """`provider/model`; `""`: none was called."""
    bearer_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    calls: Mapped[int]
    """Requests that ended."""
    succeeded: Mapped[int]
    prompt: Mapped[int]
    """Tokens, cached ones included."""
    cached: Mapped[int]
    output: Mapped[int]
    cost_nusd: Mapped[int]
    """Of what has a known price."""
    unpriced: Mapped[int]
    """Attempts that have none."""
    baseline_nusd: Mapped[int]
    """What the same would have cost (`core.accounting.baseline_of`)."""


class UsageQuarterRow(_UsageRow, Row):
    """15 minutes, in UTC."""

    __tablename__ = "usage_quarter"
    __table_args__ = ({"sqlite_with_rowid": False},)

    project_id: Mapped[str] = mapped_column(String(40), primary_key=True, sort_order=-2)
    start_ms: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)


class UsageDayRow(_UsageRow, Row):
    """A day in the project's own time zone."""

    __tablename__ = "usage_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    project_id: Mapped[str] = mapped_column(String(40), primary_key=True, sort_order=-2)
    day: Mapped[str] = mapped_column(String(10), primary_key=True, sort_order=-1)


class IdempotencyKeyRow(Row):
    """Which request has a client's key, for a day (TRUST B11). Of key and body only a hash."""

    __tablename__ = "idempotency_key"
    __table_args__ = (
        Index("idempotency_key_created", "created_ms"),
        {"sqlite_with_rowid": False},
    )

    project_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    """Of the path as well."""
    request_id: Mapped[str] = mapped_column(String(40))
    """It has no row until it is decided."""
    run_id: Mapped[str] = mapped_column(String(40))
    created_ms: Mapped[int]


class FeedbackRow(Row):
    """What somebody, or something, thought of an answer: one row for each kind (TRUST S11)."""

    __tablename__ = "feedback"
    __table_args__ = (
        Index("feedback_project", "project_id", "created_ms"),
        {"sqlite_with_rowid": False},
    )

    request_id: Mapped[str] = mapped_column(ForeignKey("request.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    """thumb, regeneration or escalation."""
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    score: Mapped[float] = mapped_column(Float)
    """-1 to 1."""
    created_ms: Mapped[int]


class ProviderRow(Row):
    __tablename__ = "provider"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    wire: Mapped[str] = mapped_column(String(20))
    url: Mapped[str] = mapped_column(Text)
    created_ms: Mapped[int]


class LocalModelRow(Row):
    """A model file that the user brought along, or that the catalogue does not know."""

    __tablename__ = "local_model"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    """What it is called by; one of the catalogue's: where its file is kept."""
    title: Mapped[str] = mapped_column(Text)
    file: Mapped[str] = mapped_column(String(300))
    """Its name in the folder of downloads."""
    path: Mapped[str | None] = mapped_column(Text)
    """Where it is kept instead; None: it is in that folder."""
    bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    context: Mapped[int | None]
    abilities: Mapped[str] = mapped_column(Text)
    """Words with spaces between them."""
    facts: Mapped[str] = mapped_column(Text)
    """JSON: what the head of the file says of layers, heads and windows."""
    repo: Mapped[str | None] = mapped_column(String(300))
    revision: Mapped[str | None] = mapped_column(String(40))
    pinned: Mapped[int]
    """1: the digest was known before the file was; 0: it was taken from the file."""
    added_ms: Mapped[int]


class MeasuredRow(Row):
    """How fast a model was here, so that a restart does not forget it."""

    __tablename__ = "measured"

    model: Mapped[str] = mapped_column(String(300), primary_key=True)
    """`provider/model`."""
    numbers: Mapped[str] = mapped_column(Text)
    """JSON: the averages, as `core.pace` keeps them."""
    at_ms: Mapped[int]


class SettingRow(Row):
    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class ResponseRow(Row):
    """One answer of `/v1/responses` that the client wants kept, and what was said to get it."""

    __tablename__ = "response"
    __table_args__ = (Index("response_created", "created_ms"),)

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    id: Mapped[str] = mapped_column(String(300), primary_key=True)
    previous_id: Mapped[str | None] = mapped_column(String(300))
    """The response before it in the conversation, whose items come first."""
    created_ms: Mapped[int]
    """Kept for 30 days (TRUST S11)."""
    input: Mapped[str] = mapped_column(Text)
    """JSON: the items of its own request, each with an id."""
    body: Mapped[str] = mapped_column(Text)
    """JSON: the response as the client got it."""


class ResponseItemRow(Row):
    """In which response an item is, for clients that refer to items by their ids."""

    __tablename__ = "response_item"
    __table_args__ = (
        Index("response_item_response", "project_id", "response_id"),
        {"sqlite_with_rowid": False},
    )

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    id: Mapped[str] = mapped_column(String(300), primary_key=True)
    response_id: Mapped[str] = mapped_column(String(300))
