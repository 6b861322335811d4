"""Runs the migrations that a database lacks."""

from __future__ import annotations

from importlib.resources import files

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from notifier.ports import StoreRefused
from notifier.store.schema import REVISION


def upgrade(connection: sa.Connection, before: str | None) -> None:
    """From revision `before` to the newest. Raises StoreRefused for a database that is none of this program."""
    config = Config()
    config.set_main_option("script_location", str(files("notifier.store") / "migrations"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise StoreRefused(
            f"the database has schema {before}, newer than {REVISION}, which this version knows; run the newer version"
        )
    if before is None and sa.inspect(connection).get_table_names():
        raise StoreRefused("the database holds tables of something else; name another one in store.url")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, REVISION)
    except CommandError as error:
        raise StoreRefused(f"the database cannot be migrated: {error}") from error
    if connection.dialect.name == "sqlite":  # which checked nothing while tables were rebuilt
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if dangling is not None:
            raise StoreRefused(f"the database cannot be migrated: {dangling[0]} refers to rows that are not there")
