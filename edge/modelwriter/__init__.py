"""Write .tflite files without a library, and put a new head on an existing classifier."""
