"""Reports that count parts: by disposition, by who decided, by the time they were made."""
