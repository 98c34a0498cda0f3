"""The purge: rows and picture files whose time is over."""
