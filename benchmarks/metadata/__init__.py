"""Parts of ``bench_metadata``: the two registries, the load, the table."""
