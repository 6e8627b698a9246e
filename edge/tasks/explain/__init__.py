"""Explanation of a classifier: which parts of an image speak for a class."""
