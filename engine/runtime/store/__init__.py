"""Where runs live between turns: the port (`port`), its rows (`rows`), the tables and migrations, and the SQLite store."""
