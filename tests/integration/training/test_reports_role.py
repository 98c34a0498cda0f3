"""Reports that need models, run by a user who may read what reports count, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable

from click.testing import CliRunner, Result

from db.inspections.records import ShadowJudgement
from db.labels import golden_members
from db.models import deployments
from db.session import engine_for
from linewatch.cli import cli
from linewatch.errors import DatabaseError
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.bench import CODES, Bench
from tests.support.committed import committed
from tests.support.database_users import database_users


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["report", *arguments])


def refused(*arguments: str) -> str:
    found = typed(*arguments)
    assert isinstance(found.exception, DatabaseError), found.output
    assert found.stdout == ""
    return str(found.exception)


def test_a_reader_reads_all_but_features(
    make_settings: Callable[..., Settings], postgresql_url: str
) -> None:
    """The shadow's report; the model's own verdicts on golden parts. Not what judges again."""
    settings = make_settings(review_below="0.0", database_url=postgresql_url)
    bench = Bench(engine_for(postgresql_url), settings)
    for code in CODES:
        bench.pictures(code, 9)
    champion, shadow = bench.champion(), bench.train().manifest.version
    committed(bench.engine, deployments.set_shadow, "cable", shadow, by="ann", why="a trial")
    judged = ShadowJudgement(shadow, Verdict.DEFECT, None, {"good": 0.2, "bent": 0.8})
    seen = bench.pictures("bent", 4, model_version=champion, shadow=judged, part=None)
    golden = {seen[0]: "bent"}
    committed(bench.engine, golden_members.add, "cable", "g", golden, by="ann")
    with database_users(postgresql_url) as users:
        make_settings(database_url=users.url("reports"))
        said = typed("shadow", "cable")
        assert said.exit_code == 0, said.exception
        assert "4 labelled: accuracy 0.000 and 1.000, escapes 4 and 0" in said.output
        wrong = str(typed("shadow", "Cabel").exception)
        assert wrong == "no product is called 'Cabel'; did you mean 'cable'?"
        agreement = ("agreement", "--product", "cable")
        found = typed(*agreement, "--format", "json")
        assert found.exit_code == 0, found.exception
        assert {row["appraiser"] for row in json.loads(found.stdout)} >= {champion, "ann"}

        sentence = (
            f"the database refuses this to its user {users.name('reports')}: permission denied for "
            "table features; use the login of a role that may, see docs/security.md"
        )
        assert refused(*agreement, "--version", shadow) == sentence
        assert refused("containment", "--version", champion, "--against", shadow) == sentence
