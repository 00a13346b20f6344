"""Results in words and numbers: what the terminal, the app and the office files have in common."""
