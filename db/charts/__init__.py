"""Control charts over counted parts: subgroups, frozen baselines, signals and reactions."""
