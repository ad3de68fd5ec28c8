"""The turn: from a request and a snapshot of what is true to everything that one commit writes, without touching either."""
