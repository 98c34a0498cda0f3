"""People who use the console: who they are, what they may do, where they are signed in."""
