"""What is wrong with a database that cannot be used, and the cure."""

from __future__ import annotations

import sqlalchemy as sa

_FILE = {
    "not a database": "the file in store.url is not a database; move it away or name another one",
    "malformed": "the database is damaged; restore a backup, or move it away to start afresh",
    "unable to open": "the database file cannot be opened; check the folder and its permissions",
    "readonly": "the database cannot be written; check the permissions of the file and its folder",
    "disk is full": "the disk is full; make room",
    "locked": "another process keeps the database locked; stop it first",
}
_SERVER = {
    "too many c": "it has no connection left; stop what else uses it, or let it have more",
    "connection slots": "it has no connection left; stop what else uses it, or let it have more",
    "password authentication": "it refuses this user and password; correct them in store.url",
    "no password": "it wants a password; write it into store.url",
    "not currently accepting": "it is closed to everybody; open it, or name another one in store.url",
    'role "': "it knows no such user; correct it in store.url",
    '" does not exist': "there is no such database; make it, or name another one in store.url",
    "Connection refused": "nothing answers there; start the server, or correct its host and port in store.url",
    "resolve host": "there is no such host; correct it in store.url",
    "timeout expired": "it does not answer; check that it runs, and that it can be reached from here",
    "pg_hba.conf": "it refuses who comes from here, or comes without TLS; try sslmode=require in store.url",
    "not support SSL": "it speaks no TLS; take sslmode=require out of store.url if the line is safe without",
    "certificate": "its certificate cannot be trusted; name the authority as sslrootcert in store.url",
    "invalid response": "no PostgreSQL answers there; correct its host and port in store.url",
    "invalid ": "an option in store.url is none that PostgreSQL knows; correct it",
    "read-only": "it only reads, as a replica does; name the one that writes in store.url",
    "starting up": "it is just starting; try again in a moment",
    "permission denied": "its user may not make tables; GRANT him CREATE on the schema, or make him its owner",
    "lock timeout": "another process keeps it locked; stop it first",
}
_GENERAL = "the database says: "


def why(error: BaseException | None, url: sa.URL) -> str:
    """A database at this URL that says so: which it is, what that means and the cure. Without its password."""
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    if url.get_backend_name() == "sqlite":
        cure = next((cure for sign, cure in _FILE.items() if sign in said), "")
        return f"{cure} ({said})" if cure else _GENERAL + said
    cure = next((cure for sign, cure in _SERVER.items() if sign in said), "it cannot be used")
    return f"the database {place(url)}: {cure} ({said})"


def place(url: sa.URL) -> str:
    """Which database that is, without user and password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    return f"{url.database or '(store.url names none)'} at {url.host or 'this host'}:{url.port or 5432}"
