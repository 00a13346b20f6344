"""The command nexthour: a file for each command, with what it prints."""
