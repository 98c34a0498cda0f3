"""Secrets: checked together, and shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from linewatch.cli import cli
from linewatch.errors import ConfigurationError
from linewatch.settings import Settings, get_settings

SECRET = "very-secret-word-0123456789abcdef0123"


def test_no_secret_is_in_a_repr_or_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LINEWATCH_SECRETS_DIR", str(tmp_path))
    for name, text in {
        "LINEWATCH_REDIS_URL": f"rediss://worker:{SECRET}@redis/0",
        "LINEWATCH_DATABASE_URL": f"postgresql://worker:{SECRET}@db/linewatch",
        "LINEWATCH_SIGNING_KEYS": f"k1:{SECRET}\n",
        "LINEWATCH_FLOWER_BASIC_AUTH": f"ann:{SECRET}\n",
    }.items():
        (tmp_path / name).write_text(text)
    get_settings.cache_clear()
    settings = get_settings()
    assert settings.signing_keys.get_secret_value().strip() == f"k1:{SECRET}"
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    monkeypatch.setenv("LINEWATCH_MAX_BATCH", "many")
    get_settings.cache_clear()
    with pytest.raises(ConfigurationError) as caught:
        get_settings()
    assert SECRET not in str(caught.value)
    get_settings.cache_clear()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"require_signatures": True}, "needs signing_keys"),
        ({"redis_url": "redis://h/0", "redis_ca_cert": "/ca.pem"}, "rediss://"),
        ({"redis_url": "rediss://h/0", "redis_client_cert": "/c.pem"}, "need each other"),
    ],
)
def test_settings_that_would_let_somebody_in_are_refused(
    fields: dict[str, object], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        Settings(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("auth", "says"), [("", "LINEWATCH_FLOWER_BASIC_AUTH"), ("ann", "not user:password")]
)
def test_flower_does_not_open_to_everybody(
    monkeypatch: pytest.MonkeyPatch, auth: str, says: str
) -> None:
    monkeypatch.setenv("LINEWATCH_FLOWER_BASIC_AUTH", auth)
    get_settings.cache_clear()
    result = CliRunner().invoke(cli, ["flower", "--address", "0.0.0.0"])
    get_settings.cache_clear()
    assert result.exit_code == 2
    assert says in result.output
