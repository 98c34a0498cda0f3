"""Writes the sample units in deploy/systemd: `python -m linewatch.first_start.samples`."""

from __future__ import annotations

from pathlib import Path

from linewatch.first_start.units import Site, redis_conf, units

SITE = Site(
    Path("/etc/linewatch"),
    Path("/var/lib/linewatch"),
    Path("/opt/linewatch/bin/linewatch"),
    sqlite=False,
)


def samples() -> dict[str, str]:
    """Each sample's name and text: what `linewatch init /etc/linewatch --systemd` writes."""
    return {**units(SITE), "redis.conf": redis_conf(SITE)}


if __name__ == "__main__":
    folder = Path(__file__).parents[2] / "deploy" / "systemd"
    for name, text in samples().items():
        (folder / name).write_text(text, encoding="utf-8")
