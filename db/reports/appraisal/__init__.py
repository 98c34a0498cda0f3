"""Reports on how well parts are judged: audit sample, agreement study, containment."""
