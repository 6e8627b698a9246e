"""Classification: one class for each image, by a MobileNetV2 with a linear head."""
