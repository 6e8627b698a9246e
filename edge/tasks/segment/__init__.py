"""Segmentation: which class each pixel of an image belongs to."""
