"""Files of any program as rows of cells, and the numbers, dates and labels in these cells."""
