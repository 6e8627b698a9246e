"""Pose matching: the most similar among many poses (the demo "mirror")."""
