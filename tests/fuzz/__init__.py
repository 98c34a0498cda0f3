"""Coverage-guided fuzzing of what reads bytes from outside; `pip install linewatch[fuzz]`.

    python -m tests.fuzz.decode --seconds 600
    python -m tests.fuzz.envelope --seconds 600
    python -m tests.fuzz.message --seconds 600

A crash is written to the folder named by --findings, and the exit code is not 0.
"""
