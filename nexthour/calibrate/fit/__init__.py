"""Deals to numbers with intervals, numbers to a scenario, and the tests of that."""
