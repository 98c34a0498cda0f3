"""What `linewatch doctor` looks at."""
