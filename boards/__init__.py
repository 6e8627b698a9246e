"""Boards: what is particular to one, and setting it up."""
