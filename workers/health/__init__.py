"""What watches a worker, from inside and outside, and ends it where it must."""
