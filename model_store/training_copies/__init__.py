"""Copies of labelled pictures that a product's symmetry allows: learned from, never tested on."""
