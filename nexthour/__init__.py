"""The product around the two libraries sim and optimize: own numbers, words, files, terminal, app."""
