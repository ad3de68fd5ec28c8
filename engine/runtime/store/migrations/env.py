"""What Alembic runs around a migration; the connection, with its transaction open, comes from `engine.runtime.store.migrate`."""

from alembic import context

from engine.runtime.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
