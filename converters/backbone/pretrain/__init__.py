"""Pretraining of the built-in backbone: distill a large MobileNetV2 into a small one."""
