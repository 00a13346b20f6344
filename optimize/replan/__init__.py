"""Planning again when quarters have passed: what was seen, what was not as planned, markets like it."""
