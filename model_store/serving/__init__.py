"""A stored model at work: on the device, on stored features, as one network for export."""
