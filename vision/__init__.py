"""From a picture to one feature vector: inference, training and benchmarks all come here."""
