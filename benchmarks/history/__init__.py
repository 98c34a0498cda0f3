"""A plant's history of millions of inspections, made inside PostgreSQL; see `fill`."""
