"""A conversation in the terminal: partners (a flow in this process, or a running server), questions, the screen and the record."""
