"""systemd units for a plant: one a program, Redis, and a target that stands for all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from linewatch.first_start.programs import PROGRAMS, Program
from linewatch.services import REDIS_OPTIONS

_STATE = Path("/var/lib")


@dataclass(frozen=True, slots=True)
class Site:
    """Where a plant's files are on a machine with systemd.

    Args:
        folder: what `linewatch init` made.
        data_dir: LINEWATCH_DATA_DIR.
        command: the `linewatch` command.
        redis_server: the `redis-server` command.
        sqlite: no database server: programs need no URL of one.
        redis_port: on the loopback address.
    """

    folder: Path
    data_dir: Path
    command: Path
    redis_server: Path = Path("/usr/bin/redis-server")
    sqlite: bool = True
    redis_port: int = 6379


def units(site: Site) -> dict[str, str]:
    """Each unit's file name and text."""
    found = {_unit_name(program): _unit(site, program) for program in PROGRAMS}
    found["linewatch-redis.service"] = _redis(site)
    found["linewatch.target"] = _target()
    found["sysusers.conf"] = f'u linewatch - "Linewatch" {site.data_dir}\n'
    found["install.sh"] = _install(site, sorted(n for n in found if n.startswith("linewatch")))
    return found


def redis_conf(site: Site) -> str:
    """The Redis of a machine's units; nobody can push a message that no worker would open."""
    options = {
        "bind": "127.0.0.1 -::1",
        "port": site.redis_port,
        "dir": f"{site.data_dir}/redis",
        **REDIS_OPTIONS,
        "proto-max-bulk-len": "4mb",
    }
    nothing = '""'
    return "".join(f"{name} {value or nothing}\n" for name, value in options.items())


def _unit_name(program: Program) -> str:
    return f"linewatch-{program.name}.service"


def _unit(site: Site, program: Program) -> str:
    files = program.files()
    if site.sqlite:
        files = {name: file for name, file in files.items() if not file.startswith("database_")}
    lines = [f"LoadCredential={name}:{site.folder}/secrets/{file}" for name, file in files.items()]
    lines += [f"Environment={name}={value}" for name, value in program.environment.items()]
    if program.needs:
        lines.append(f"Environment=LINEWATCH_OUTPUTS_FILE={site.folder}/{program.needs}")
    command = " ".join([f"{site.command}", *program.arguments, *_more_arguments(site, program)])
    if files or lines:
        command = f"/usr/bin/env LINEWATCH_SECRETS_DIR=${{CREDENTIALS_DIRECTORY}} {command}"
    again = (
        # Code 2 says that a person must mend something first.
        f"TimeoutStopSec={program.stop_s}\nRestart=always\nRestartSec=2\nRestartPreventExitStatus=2"
    )
    return _service(
        site,
        purpose=f"Linewatch {program.purpose}",
        after="linewatch-redis.service" + ("" if program.once else " linewatch-prepare.service"),
        kind="oneshot\nRemainAfterExit=yes" if program.once else "exec",
        lines=[f"EnvironmentFile={site.folder}/environment", *lines],
        command=command,
        again="Restart=on-failure\nRestartSec=5" if program.once else again,
        memory=program.memory,
        condition=f"{site.folder}/{program.needs}" if program.needs else "",
    )


def _more_arguments(site: Site, program: Program) -> list[str]:
    if not program.once:
        return []
    roles = "" if site.sqlite else " --logins ${CREDENTIALS_DIRECTORY}"
    return [f"--products {site.folder}/products{roles}"]


def _redis(site: Site) -> str:
    return _service(
        site,
        purpose="Redis of Linewatch",
        after="network.target",
        kind="exec",
        lines=[f"LoadCredential=users.acl:{site.folder}/secrets/redis/users.acl"],
        command=f"{site.redis_server} {site.folder}/redis.conf "
        "--aclfile ${CREDENTIALS_DIRECTORY}/users.acl",
        again="Restart=always\nRestartSec=2",
        memory="3g",  # rewriting its file may take as much again as it holds, and more
        before=f"ExecStartPre=/bin/mkdir -p -m 0700 {site.data_dir}/redis\n",
    )


def _service(
    site: Site,
    *,
    purpose: str,
    after: str,
    kind: str,
    lines: list[str],
    command: str,
    again: str,
    memory: str,
    before: str = "",
    condition: str = "",
) -> str:
    return (
        f"[Unit]\nDescription={purpose}\nPartOf=linewatch.target\n"
        f"After=network-online.target {after}\nWants=network-online.target\n"
        "StartLimitIntervalSec=0\n"  # it is started again however often it ends
        + (f"ConditionPathExists={condition}\n" if condition else "")
        + "\n"
        f"[Service]\nType={kind}\nUser=linewatch\n"
        + "".join(f"{line}\n" for line in lines)
        + before
        + f"ExecStart={command}\n"
        + (f"{again}\n" if again else "")
        + f"MemoryMax={memory.upper()}\n"
        + _place(site)
        + "UMask=0077\nNoNewPrivileges=yes\nProtectSystem=strict\nProtectHome=read-only\n"
        "PrivateTmp=yes\n\n[Install]\nWantedBy=linewatch.target\n"
    )


def _place(site: Site) -> str:
    """The one folder that the program may write to; ProtectSystem=strict forbids all others."""
    folder = f"WorkingDirectory={site.data_dir}\n"
    if site.data_dir.is_relative_to(_STATE) and site.data_dir != _STATE:
        name = site.data_dir.relative_to(_STATE)
        return f"StateDirectory={name}\nStateDirectoryMode=0700\n{folder}"
    return f"ReadWritePaths={site.data_dir}\n{folder}"


def _target() -> str:
    return (
        "[Unit]\nDescription=Linewatch: everything on this machine\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )


_INSTALL = """\
#!/bin/sh
# Makes the user, installs the units and starts everything; run it as root. Run it again after an
# upgrade: what somebody disabled meanwhile stays so.
# Another device than auto: systemctl disable --now linewatch-worker@auto, then
# systemctl enable --now linewatch-worker@cuda:0. A second one needs a port of its own: give it
# Environment=LINEWATCH_METRICS_PORT=9465 by systemctl edit linewatch-worker@cuda:1.
set -eu
here={here} there=/etc/systemd/system
units="{units}"
systemd-sysusers $here/sysusers.conf
{more}new=$units
if systemctl is-enabled --quiet linewatch.target 2>/dev/null; then
  new=$(for unit in $units; do test -e $there/$unit || echo $unit; done)
fi
for unit in $units; do install -m 0644 $here/$unit $there/; done
systemctl daemon-reload
for unit in $new; do
  case $unit in *@.service) unit=${{unit%.service}}auto.service ;; esac
  systemctl enable $unit
done
systemctl start linewatch.target
"""


def _install(site: Site, names: list[str]) -> str:
    """The target comes last of `names`: once it is enabled, everything was."""
    more = ""
    if not _place(site).startswith("State"):
        more = f"install -d -m 0700 -o linewatch -g linewatch {site.data_dir}\n"
    # Its secrets are files too, which the outputs' service must be able to read.
    more += f"chgrp -R linewatch {site.folder}/outputs\n"
    return _INSTALL.format(here=f"{site.folder}/systemd", units=" ".join(names), more=more)
