"""What people see in a browser: a file for each page, and what all pages share.

menu.py has the pages, page.py the page around a page, pages/ and sections/ what they show, charts/ pictures and tables,
state/ what outlives a click. Left out: any modelling; a number on a screen is a field of what sim, optimize or
calibrate returned.
"""
