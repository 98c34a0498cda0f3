"""What Alembic runs: always on a connection that `db.migrate` hands over."""

from __future__ import annotations

from alembic import context

from db.schema import compared, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=compared,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,
)
context.run_migrations()
