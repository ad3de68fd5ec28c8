"""What authors see of a run while they try their flows: served in `--dev` alone, to the session whose run it is."""
