"""Boards: profiles, diagnosis and deployment."""
