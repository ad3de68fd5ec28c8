"""The store in one SQLite file: one writer thread that commits whatever turns are waiting together, and readers beside it."""
