"""Judging recipes and models on folders of pictures, and on stored embeddings."""
