"""`python -m linewatch.celery_program …` is the `celery` command with our packages and no others.

`celery` looks for its application in the working folder first, where somebody's `workers.py` or
`redis.py` may lie; what it imports while it starts, it takes from there as well.
"""

from linewatch.import_path import run_as_program


def main() -> None:
    """Run Celery's command line."""
    run_as_program()
    from workers.broker.command_line import run

    run()


if __name__ == "__main__":
    main()
