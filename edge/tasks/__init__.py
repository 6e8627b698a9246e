"""Tasks: what a model computes for each frame, and how its result is drawn."""
