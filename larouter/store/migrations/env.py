"""Alembic's entry: runs the migrations on the connection that `store.schema` hands over."""

from alembic import context

from larouter.store.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
