"""TFLite files: structure, metadata, labels and cost, read without an interpreter."""
