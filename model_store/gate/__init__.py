"""Champion and challenger on the same pictures, and whether the challenger may serve."""
