"""Training of detectors that find points, to count small objects that look alike."""
