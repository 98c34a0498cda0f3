"""A watched folder, for `producer.watch`: what lies there, what changes, which files are whole."""
