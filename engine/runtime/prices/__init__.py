"""Price tables as people write them: `table` reads CSV and YAML, and `models.csv` is an example to start from."""
