"""Evaluation of variants: predictions, metrics, calibration and agreement."""
