"""Run by Alembic: migrates on the connection that `migrate` opened."""

from alembic import context

from services.database.models import TableBase

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TableBase.metadata,
    render_as_batch=True,  # SQLite alters tables by copying them
)
context.run_migrations()
