#!/bin/sh
# Makes the user, installs the units and starts everything; run it as root. Run it again after an
# upgrade: what somebody disabled meanwhile stays so.
# Another device than auto: systemctl disable --now linewatch-worker@auto, then
# systemctl enable --now linewatch-worker@cuda:0. A second one needs a port of its own: give it
# Environment=LINEWATCH_METRICS_PORT=9465 by systemctl edit linewatch-worker@cuda:1.
set -eu
here=/etc/linewatch/systemd there=/etc/systemd/system
units="linewatch-alerts.service linewatch-beat.service linewatch-console.service linewatch-flower.service linewatch-outputs.service linewatch-prepare.service linewatch-redis.service linewatch-train.service linewatch-worker@.service linewatch.target"
systemd-sysusers $here/sysusers.conf
chgrp -R linewatch /etc/linewatch/outputs
new=$units
if systemctl is-enabled --quiet linewatch.target 2>/dev/null; then
  new=$(for unit in $units; do test -e $there/$unit || echo $unit; done)
fi
for unit in $units; do install -m 0644 $here/$unit $there/; done
systemctl daemon-reload
for unit in $new; do
  case $unit in *@.service) unit=${unit%.service}auto.service ;; esac
  systemctl enable $unit
done
systemctl start linewatch.target
