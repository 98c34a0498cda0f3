"""`python -m linewatch` and the `linewatch` script."""

from typing import NoReturn

from linewatch.import_path import run_as_program


def main() -> NoReturn:
    """Run the command line, with nothing imported from the working folder."""
    run_as_program()
    from linewatch.cli import main as run

    run()


if __name__ == "__main__":
    main()
