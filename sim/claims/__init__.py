"""What the source claims, measured in the model."""
