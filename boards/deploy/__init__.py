"""Deployment over ssh: upload a release, test it on the board, switch to it, or roll back."""
