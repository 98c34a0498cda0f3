"""Statistics of quality: intervals, control charts, estimators. Pure; imports nothing of ours."""
