"""What is known of a part, finding parts, and what has to be fetched back."""
