"""Training: transfer learning, fine-tuning and training from scratch."""
