"""The mirror: among many poses, the one closest to yours now."""
