"""Between Redis and Celery: how messages are fetched, held, refused and given back."""
