"""Pictures handed over through the API, and how they ended."""
