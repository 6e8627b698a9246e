"""Backbones: MobileNetV2, built-in and imported weights."""
