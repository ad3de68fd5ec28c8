"""What a turn costs, each figure beside one that was measured in the same run on the same machine."""
