"""Data sets: listing, audit, duplicates and split of labeled images."""
