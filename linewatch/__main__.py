"""`python -m linewatch` is the `linewatch` command."""

from linewatch.cli import main

main()
