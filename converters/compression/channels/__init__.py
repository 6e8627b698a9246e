"""Structured pruning: whole channels inside the blocks of MobileNetV2 are removed."""
