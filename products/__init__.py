"""One YAML file a product: classes, prompts, image size."""
