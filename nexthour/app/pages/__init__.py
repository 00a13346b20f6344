"""A file for each page of the menu; `show` draws it."""
