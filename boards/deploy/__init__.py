"""Deploying: a release goes to boards over ssh, is tried there, and runs; else the old one does."""
