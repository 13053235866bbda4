"""Rows of alerts, and of who is told of them and when. See `store.tables` for the rules."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from larouter.store.row import Row, Serial


class AlertRow(Row):
    """A budget passed one of its marks: once for each mark in each period. Or more was spent than
    is usual: once for each project and day."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("budget_id", "start_ms", "mark"),
        Index(
            "alert_unusual", "of_project", "start_ms", unique=True,
            sqlite_where=text("budget_id IS NULL"), postgresql_where=text("budget_id IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    budget_id: Mapped[int | None] = mapped_column(ForeignKey("budget.id"))
    """None: it is about unusual spend."""
    start_ms: Mapped[int]
    """Of the budget's period; of the day in which more was spent than is usual."""
    mark: Mapped[int]
    """Per cent; 0: the budget is blocked, or there is none."""
    spent: Mapped[int]
    cap: Mapped[int]
    """Of the budget; or what would still have been usual."""
    created_ms: Mapped[int]
    seen_ms: Mapped[int | None]
    of_project: Mapped[str] = mapped_column(String(40), server_default=text("''"))
    """Whose spend was unusual; `""`: this machine's, or the budget says whose."""
    told_ms: Mapped[int | None]
    """When the desktop was told, or it was too late for that."""


class WebhookRow(Row):
    """Where alerts are sent. Kept when it is removed: its deliveries are history."""

    __tablename__ = "webhook"

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"))
    """None: for the whole machine."""
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(String(100))
    """What signs: it has to be known again each time, and opens nothing here."""
    created_ms: Mapped[int]
    removed_ms: Mapped[int | None]
    stopped_ms: Mapped[int | None]
    """The receiver said that it is gone."""
    next_ms: Mapped[int] = mapped_column(server_default="0")
    """Not to be tried before."""
    lease_ms: Mapped[int] = mapped_column(server_default="0")
    """Until then one process alone sends to it."""
    lease_by: Mapped[str | None] = mapped_column(String(40))
    """That process's run."""


class DeliveryRow(Row):
    """The outbox: one alert for one webhook, written with the alert in one transaction."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "event"),
        Index(
            "webhook_delivery_waiting", "webhook_id", "id",
            sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"))
    event: Mapped[str] = mapped_column(String(40))
    """The same at every try: by it the receiver knows what it has had."""
    body: Mapped[str] = mapped_column(Text)
    """JSON, as it is sent."""
    created_ms: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    """waiting, sent or failed."""
    tries: Mapped[int] = mapped_column(server_default="0")
    tried_ms: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(200))
    """Why the last try failed."""
