"""Tasks: from a frame to a typed result, by a model with its pre- and postprocessing."""
