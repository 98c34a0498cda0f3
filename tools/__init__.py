"""Programs for those who build Linewatch; none of them is installed."""
