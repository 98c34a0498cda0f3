"""The protocol of the notebook that Linewatch grew from, and what it published."""
