"""The territory again, to be compiled: the same model as territory.py to the last bit."""
