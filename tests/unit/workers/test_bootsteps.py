"""How a worker that cannot start ends: code 2 where a person must mend something first."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from linewatch.errors import ConfigurationError, DatabaseError
from workers import wiring
from workers.bootsteps import PipelineStep
from workers.health.shutdown import EXIT_CODE


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConfigurationError("LINEWATCH_DEVICE: there is no cuda here"), "there is no cuda here"),
        (ModuleNotFoundError("No module named 'simplejpeg'", name="simplejpeg"), "linewatch[work"),
        (ImportError("libGL.so.1: cannot open shared object file"), "libGL.so.1"),
    ],
)
def test_what_a_person_must_mend_is_code_2_and_a_sentence(
    error: Exception,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(SystemExit) as ended, caplog.at_level(logging.CRITICAL):
        start(error, monkeypatch)
    assert ended.value.code == 2
    (record,) = caplog.records
    assert said in record.getMessage()
    assert record.exc_info is None


def test_what_may_pass_is_a_line_and_for_the_supervisor(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SystemExit) as ended, caplog.at_level(logging.CRITICAL):
        start(DatabaseError("it does not answer"), monkeypatch)
    assert ended.value.code == EXIT_CODE
    (record,) = caplog.records
    assert (record.getMessage(), record.exc_info) == ("it does not answer", None)


def start(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(wiring, "start_inspect_runtime", fail)
    worker: Any = SimpleNamespace(hostname="w@here")
    PipelineStep(worker).start(worker)
