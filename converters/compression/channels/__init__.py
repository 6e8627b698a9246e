"""Structured pruning: whole expansion channels of MobileNetV2 are removed."""
