"""`python -m api.cli` is `baton`."""

from api.cli.program import main

main(prog_name="baton")
