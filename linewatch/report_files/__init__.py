"""Reports as files: CSV, JSON, Parquet, XLSX and HTML. `formats` says which; one file a format."""
