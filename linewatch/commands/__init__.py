"""One module a sub-command; each defines `command`."""
