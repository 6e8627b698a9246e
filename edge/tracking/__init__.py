"""Multi-object tracking, and counting of objects that cross lines and zones."""
