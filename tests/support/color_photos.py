"""Photos of one color with noise, for tests that teach."""

from pathlib import Path

import cv2
import numpy as np

BGR = {"red": (30, 30, 220), "green": (30, 220, 30), "blue": (220, 30, 30), "gray": (90, 90, 90)}


def image(color: str, seed: int = 0) -> np.ndarray:
    """A noisy image, uint8 BGR [24, 32, 3]."""
    noise = np.random.default_rng(seed).normal(0, 20, (24, 32, 3))
    return np.clip(noise + BGR[color], 0, 255).astype(np.uint8)


def write(folder: Path, color: str, count: int, start: int = 0) -> None:
    """Write PNG files 000.png, 001.png, …"""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        cv2.imwrite(str(folder / f"{number:03d}.png"), image(color, number))
