"""Metrics of the tasks, and how sure they are: NumPy and OpenCV, no model and no file.

Each metric is kept per image first, so that resampling the images costs no second matching.
"""
