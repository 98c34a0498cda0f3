"""One benchmark a file; each has `run(workplace, quick=…)`, which returns its findings."""
