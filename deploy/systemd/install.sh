#!/bin/sh
# Makes the user, installs the units and starts everything; run it as root.
# Another device than auto: systemctl enable --now linewatch-worker@cuda:0
set -eu
systemd-sysusers /etc/linewatch/systemd/sysusers.conf
chgrp -R linewatch /etc/linewatch/outputs
install -m 0644 /etc/linewatch/systemd/linewatch-alerts.service /etc/linewatch/systemd/linewatch-beat.service /etc/linewatch/systemd/linewatch-console.service /etc/linewatch/systemd/linewatch-flower.service /etc/linewatch/systemd/linewatch-outputs.service /etc/linewatch/systemd/linewatch-prepare.service /etc/linewatch/systemd/linewatch-redis.service /etc/linewatch/systemd/linewatch-train.service /etc/linewatch/systemd/linewatch-worker@.service /etc/linewatch/systemd/linewatch.target /etc/systemd/system/
systemctl daemon-reload
systemctl enable linewatch-alerts.service linewatch-beat.service linewatch-console.service linewatch-flower.service linewatch-outputs.service linewatch-prepare.service linewatch-redis.service linewatch-train.service linewatch-worker@auto.service linewatch.target
systemctl start linewatch.target
