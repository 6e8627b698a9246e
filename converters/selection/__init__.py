"""Selection of a variant by accuracy, size and latency."""
