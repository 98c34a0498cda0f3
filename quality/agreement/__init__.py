"""How well appraisers agree, the model among them."""
