"""Every report and control chart of the command line, with filters in the address."""
