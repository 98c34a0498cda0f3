"""A plant's week of which the truth is known part by part; shares no code with what counts it."""
