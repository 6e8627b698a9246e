"""Releases that are deployed to boards, and their golden outputs."""
