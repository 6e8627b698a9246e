"""Knowledge distillation: a small MobileNetV2 learns from a large one on unlabelled images."""
