"""The tables of a ledger's file, and how an older file becomes a newer one.

A chunk is the numbers that share run, state and reason: one row, which a mark rewrites; the numbers' own rows
are written once, when they are leased. Measured at a million invoices in chunks of 100: 22 bytes an invoice, where a
row of state for each number takes 38 and is written three times.
"""

from collections.abc import Sequence

APPLICATION_ID = int.from_bytes(b"CILg")
"""In the file's header: what tells a ledger from any other SQLite database."""

Migration = Sequence[str]
"""Statements that bring a file from one version to the next."""

MIGRATIONS: Sequence[Migration] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
        "CREATE TABLE key_hash (hash BLOB PRIMARY KEY) WITHOUT ROWID",
        "CREATE TABLE run (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, began INTEGER NOT NULL, facts TEXT)",
        """
        CREATE TABLE chunk (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES run,
            state TEXT NOT NULL,
            size INTEGER NOT NULL,     -- numbers that are in it now
            low INTEGER NOT NULL,      -- none of them is below
            high INTEGER NOT NULL,     -- nor above
            reason TEXT,
            changed INTEGER NOT NULL   -- seconds since 1970, as `began` above
        )
        """,
        "CREATE INDEX unknown_chunk ON chunk (low, high) WHERE state = 'unknown'",
        "CREATE INDEX released_chunk ON chunk (low, high) WHERE state = 'released'",
        "CREATE TABLE number (number INTEGER PRIMARY KEY, chunk INTEGER NOT NULL REFERENCES chunk, digest INTEGER)",
        # what was on record of a number that is leased anew: it comes back if the number stays unsent
        "CREATE TABLE earlier (number INTEGER PRIMARY KEY, chunk INTEGER NOT NULL REFERENCES chunk, digest INTEGER)",
        "CREATE INDEX earlier_chunk ON earlier (chunk)",
        # for people with a database shell
        """
        CREATE VIEW invoice AS
        SELECT number.number, chunk.state, run.name AS run, chunk.reason,
               datetime(chunk.changed, 'unixepoch') AS changed
        FROM number JOIN chunk ON chunk.id = number.chunk JOIN run ON run.id = chunk.run
        """,
    ),
)
"""The first makes an empty file a ledger of version 1; each further one the next version of it."""
