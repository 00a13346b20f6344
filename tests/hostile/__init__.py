"""Hostile inputs over all readers: each is made from its number, and judged in a process that can be ended.

    .venv/bin/python -m tests.hostile 4711        # one case again, by its number
    .venv/bin/python -m tests.hostile 0 1000      # the first thousand

A case is a reader (readers.py), something good for it (good_files.py) and one to three attacks (on_bytes.py,
on_text.py, on_workbooks.py), all drawn from the case's number (cases.py). What must hold of every case
says judging.py; worker.py is the process, watching.py ends it where it hangs and names the case.
"""
