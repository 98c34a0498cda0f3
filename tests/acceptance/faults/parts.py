"""The parts of the long run: each at most an hour on two cores, run by itself, in any order.

`make faults PART=workers` runs one; each merges its rows into the one file of results.
"""

from __future__ import annotations

LONGEST_MINUTES = 60

# Part to the tests in it: a file's name, or a file's and a test's.
PARTS: dict[str, tuple[str, ...]] = {
    "workers-killed": (
        "test_workers_die.py::test_sigkill_at_random_moments",
        "test_workers_die.py::test_sigkill_at_a_named_step",
        "test_workers_die.py::test_a_picture_that_kills_workers_is_dead_lettered_alone",
        "test_workers_die.py::test_a_worker_that_stops_is_no_death",
    ),
    "workers-taking": (
        "test_workers_die.py::test_no_message_is_lost_on_its_way_into_a_worker",
        "test_workers_die.py::test_a_frozen_worker_that_wakes_changes_nothing",
        "test_workers_die.py::test_sigterm_hands_back_what_is_not_judged",
    ),
    "redis-restarts": (
        "test_redis_dies.py::test_redis_restarts_under_load",
        "test_redis_dies.py::test_redis_is_full",
    ),
    "redis-connections": (
        "test_redis_dies.py::test_connections_are_reset",
        "test_redis_dies.py::test_connections_are_half_open",
    ),
    "database": ("test_database_dies.py",),
    "outputs": ("test_outputs_die.py",),
    "producers": ("test_producers_die.py",),
    "backlogs": ("test_backlogs_drain.py",),
    "disks": ("test_disks_fill.py", "test_shares_hang.py", "test_s3_dies.py"),
    "clocks": ("test_clocks_jump.py", "test_beats_double.py"),
    "models": ("test_models_swap.py", "test_training_dies.py", "test_devices_fail.py"),
    "envelopes": ("test_envelopes_fuzzed.py", "test_tasks_never_begin.py"),
    "inputs": ("test_bad_inputs.py", "test_inputs_fuzzed.py", "test_history.py"),
}


def part_of(test: str) -> str:
    """The part that a test belongs to, by its `file.py::name[parameters]`.

    Raises:
        LookupError: it is in no part, or in two.
    """
    name = test.partition("[")[0]
    found = [part for part, tests in PARTS.items() if {name, name.partition("::")[0]} & set(tests)]
    if len(found) != 1:
        raise LookupError(f"{name} must be in one part of {__name__}.PARTS; it is in {found}")
    return found[0]
