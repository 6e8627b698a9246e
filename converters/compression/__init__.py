"""Recipes: pruning, channel removal and quantization."""
