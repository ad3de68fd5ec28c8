"""The store in one SQLite file: one connection that writes, taking all waiting turns in one commit, and readers beside it."""
