"""Teach a classifier on the board: images in a folder, embeddings, a linear head."""
