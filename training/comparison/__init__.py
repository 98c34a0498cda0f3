"""Two versions on the same pictures: the gate, the shadow, and what passed under another model."""
