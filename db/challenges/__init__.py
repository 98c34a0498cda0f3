"""Challenges: known parts that go through a line's camera, to see that it still finds them."""
