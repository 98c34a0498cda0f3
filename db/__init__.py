"""Rows: tables, sessions, migrations, repositories and reports. The only package that holds SQL."""
