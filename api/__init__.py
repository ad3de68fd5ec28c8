"""The doors: the HTTP API, the chat page and the command line.

They check credentials, limits and wire types, and leave every decision about flows to `engine`.
"""
