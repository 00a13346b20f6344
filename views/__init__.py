"""What people see in a browser: a file for each page, and what all pages share.

frame.py is the page around a page, links.py its state in the address, library.py the scenarios and plans there are,
runs.py what was computed already, charts.py the pictures. Left out: any modelling; a number on a screen is a field of
what sim, optimize or calibrate returned.
"""
