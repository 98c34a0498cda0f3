"""Control charts for attributes: baselines, points, subgroups, rules and run lengths."""
