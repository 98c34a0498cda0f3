"""What is kept for how long: partitions by month, and the queries of a purge."""
