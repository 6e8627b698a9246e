"""Training of segmenters: a MobileNet with a decoder that gives logits for small cells."""
