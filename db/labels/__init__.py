"""What people say of pictures and parts: labels, golden sets, decisions."""
