"""The page of ``edge teach``: show things to a camera, name them, and see them recognized.

One thread owns the teacher: what visitors ask for, frames and finished lessons come to it through
an inbox, and are handled one after the other.
"""
