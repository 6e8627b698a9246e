"""Quantization after training: one module for each number format."""
