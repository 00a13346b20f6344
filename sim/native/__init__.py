"""Functions of arrays to machine code. Knows nothing of the model."""
