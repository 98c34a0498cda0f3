"""Secrets: checked together, and shown nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from traceback import format_exception
from urllib.parse import quote, quote_plus
from uuid import uuid4

import pytest
from click.testing import CliRunner

from linewatch.cli import cli
from linewatch.errors import ConfigurationError, LinewatchError, ModelError
from linewatch.redaction import redactor
from linewatch.settings import Settings, get_settings
from linewatch.settings.shown_url import without_secrets
from model_store.store import ModelStore
from tests.support.marked import Marked

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


MARKED = Marked("wrong")
RAW, ENCODED = MARKED["wrong"], MARKED.in_url("wrong")


@pytest.mark.parametrize(
    "url",
    [
        f"redis://u:{RAW}@127.0.0.1:1/0",
        f"redis://u:{ENCODED}@127.0.0.1:{ENCODED}/0",
        f"redis://u:{ENCODED};{ENCODED}@127.0.0.1:1/0",
        f"redis://{ENCODED}@[::1/0",
        f"redis://u:{ENCODED}@127.0.0.1:1/{ENCODED}",
        f"redis://127.0.0.1:1/0?password={ENCODED}",
        f"redis://127.0.0.1:1/0?{ENCODED}=7&db={ENCODED}",
        f"reddis://u:{ENCODED}@127.0.0.1:1/0",
        f"redis://u:{ENCODED}@127.0.0.1:1/0",
        f"rediss://u:{ENCODED}@127.0.0.1:1/0?ssl_ca_certs=/nowhere",
        ENCODED,
        RAW,
    ],
)
def test_no_wrong_redis_url_is_shown(
    url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINEWATCH_REDIS_URL", url)
    said = _said(["doctor", "--beat"], capfd) + _said(["doctor", "--ping", "w"], capfd)
    assert "Traceback" not in said
    assert MARKED.shown(said) == []


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{RAW}@127.0.0.1:1/x",
        f"postgresql://u:a@{ENCODED}@127.0.0.1:1/x",
        f"postgresql://u:{ENCODED}@127.0.0.1:{ENCODED}/x",
        f"postgresql://u:{ENCODED}@127.0.0.1:1/x",
        f"postgresql://127.0.0.1:1/x?password={ENCODED}",
        f"postgresql://127.0.0.1:1/x?sslmode=require&sslpassword={ENCODED}",
        f"mysql://u:{ENCODED}@127.0.0.1/x",
        f"{ENCODED}://u:{ENCODED}@127.0.0.1/x",
        f"host=127.0.0.1 password={ENCODED}",
        RAW,
    ],
)
def test_no_wrong_database_url_is_shown(
    url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINEWATCH_DATABASE_URL", url)
    said = _said(["db", "current"], capfd) + _said(["models", "list"], capfd)
    assert "Traceback" not in said
    assert MARKED.shown(said) == []


def _said(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    get_settings.cache_clear()
    result = CliRunner().invoke(cli, arguments)
    get_settings.cache_clear()
    error = "" if result.exception is None else "".join(format_exception(result.exception))
    if isinstance(result.exception, LinewatchError):
        error = str(result.exception)
    elif isinstance(result.exception, SystemExit):
        error = ""
    captured = capfd.readouterr()
    return result.output + error + captured.out + captured.err


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://key:secret@bucket/models", "s3://bucket/models"),
        ("s3://bucket/models?secret=secret#secret", "s3://bucket/models"),
        ("https://ann:secret@h:1/a@b", "https://(hidden)"),
        ("https://ann@h/a:b@c", "https://(hidden)"),
        ("s3://key:sec@secret@bucket/a", "s3://(hidden)"),
        ("/var/models", "/var/models"),
        ("relative/models?x", "relative/models?x"),
        ("memory://models", "memory://models"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


def test_a_model_store_that_cannot_be_used_is_named_without_its_secrets() -> None:
    with pytest.raises(ModelError) as caught:
        ModelStore(f"nosuch://key:{ENCODED}@host/bucket?secret={ENCODED}")
    assert "nosuch://host/bucket" in str(caught.value)
    assert MARKED.shown(str(caught.value)) == []
    store = ModelStore(f"memory://u:{ENCODED}@{uuid4()}/m?secret={ENCODED}")
    with pytest.raises(ModelError) as caught:
        store.load("cable", "20260101-000000-abcdef")
    assert MARKED.shown(str(caught.value)) == []


def test_every_secret_of_the_settings_is_redacted_however_it_is_written() -> None:
    names = ("redis", "database", "store", "option", "flower", "signing", "older")
    marked = Marked(*names)
    settings = Settings(
        redis_url=f"redis://u:{marked.in_url('redis')}@h/0",
        database_url=f"postgresql://u:{marked.in_url('database')}@h/x",
        model_store_url=f"s3://k:{marked.in_url('store')}@b?secret={marked.in_url('option')}",
        flower_basic_auth=f"ann:{marked['flower']}",
        signing_keys=f"a:{marked.plain('signing')}\nb:{marked.plain('older')}",
    )
    redact = redactor(settings)
    for name in names:
        secret = marked.plain(name) if name in ("signing", "older") else marked[name]
        in_quotes = (json.dumps(secret), repr(secret), repr(f"'{secret}\""), json.dumps([secret]))
        for form in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret), *in_quotes):
            told = {"deep": [{"down": f"x{form}y"}, 7, None, (form,)], form: True}
            assert marked.shown(repr(redact(told))) == [], (name, form)
    assert redact({"a": ["b", 1]}) == {"a": ["b", 1]}
    assert marked.shown(repr(settings)) == []
