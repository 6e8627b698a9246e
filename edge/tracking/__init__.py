"""Telling objects apart from frame to frame: a multi-object tracker, and counting on top of it."""
