"""The alerts file that a plant begins with: its rules are the defaults, and nobody is told yet."""

from __future__ import annotations

ALERTS = """\
# Which conditions raise alerts, and who is told; docs/alerts.md explains each word.
# Try it with `linewatch alerts test`. Addresses with passwords belong into secrets/alert_urls.
#
# console: https://linewatch.plant.example/     # left out: LINEWATCH_CONSOLE_URL
# language: en                                  # or de; a channel may say its own
# rules:
#   queue_age: {after_s: 120}
#   shift_unverified: {on: false}
# channels:
#   quality:
#     to: quality-mail            # a name of secrets/alert_urls, or an Apprise address
#     at_least: warning
#     repeat_min: 60
#     quiet: {starts: 22:00, ends: 06:00, days: mon-fri, but_tell: critical}
#     tell_closed: true
#     summary: true
"""
