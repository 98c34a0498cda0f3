"""How well the model and people tell parts whose class is known."""
