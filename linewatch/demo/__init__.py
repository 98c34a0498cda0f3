"""The demonstration: one shift, from the camera to the report."""
