"""The console's users: somebody can always let others in."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import Engine

from db.people import users
from linewatch.errors import UserError
from tests.support.committed import committed
from tests.support.interleaving import meanwhile


def test_two_admins_who_end_each_other_at_once_leave_one(engine: Engine) -> None:
    for name in ("ann", "bob"):
        committed(engine, users.add, name, "admin", password_hash=None, by="setup")
    other = partial(committed, engine, users.disable, "bob", by="ann")
    with (
        pytest.raises(UserError, match="'bob' is the only admin"),
        meanwhile(engine, "UPDATE console_users", other, waits=True),
    ):
        committed(engine, users.change, "ann", by="bob", role="viewer")
    assert [user.name for user in users.listed(engine) if user.role == "admin"] == ["bob"]
