"""Training of object detectors: a MobileNet with a light head on several of its layers."""
