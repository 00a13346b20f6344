"""Deals of a CRM export: which column means what, and the deals that can be used."""
