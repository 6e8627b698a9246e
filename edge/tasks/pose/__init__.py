"""Poses: where the joints of people are, what their angles are, and exercises counted by them."""
