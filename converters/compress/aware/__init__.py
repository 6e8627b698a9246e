"""Quantization-aware training: the network learns with the rounding of 8 bits in it."""
