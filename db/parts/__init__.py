"""Parts: what the pictures of a serial number, people's labels and decisions make of it."""
