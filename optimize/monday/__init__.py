"""A plan on Monday: blocks in a calendar, and what to stop, start and keep."""
