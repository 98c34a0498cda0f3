"""Alerts as people deal with them: conditions that stand, who saw to them, who was told."""
