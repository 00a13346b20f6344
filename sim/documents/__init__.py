"""Validated YAML documents, and sentences about what is wrong with one."""
