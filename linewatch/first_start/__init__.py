"""What `linewatch init` makes: everything that a plant needs before its first start."""
