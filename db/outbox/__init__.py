"""The outbox: what is to be told to the lines, in commit order, and who has been told."""
