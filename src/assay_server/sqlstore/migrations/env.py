"""What Alembic runs: migrations on the connection that ``schema`` opened, in its transaction."""

from alembic import context

from assay_server.sqlstore.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
