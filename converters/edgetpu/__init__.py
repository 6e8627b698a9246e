"""Edge TPU: prediction of the mapping, and compilation."""
