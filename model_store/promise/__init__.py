"""The share of defects that may pass: the score it is promised on, its bounds, its words."""
