"""Quickstart: convert handwritten digits, and classify unseen ones.

Run by ``make quickstart``, or ``python -m converters.quickstart``. It writes the digits as
images, converts them with the real ``edge convert``, then classifies with ``edge classify``
images that the conversion never saw, and prints how many were correct.

The digits are the test set of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
C. Kaynak (UCI Machine Learning Repository, doi 10.24432/C50P49, CC BY 4.0): 1,797 images of 8 × 8
pixels in 17 shades, as scikit-learn has them.
"""

import json
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.quantities import counted

DIGITS = Path(__file__).with_name("digits.npz")
"""images: uint8 [1797, 8, 8], 0 to 16; labels: uint8 [1797]."""

FOLDER = Path("runs/quickstart")
SIDE = 64
UNSEEN = 20
SEED = 0
# A mirrored digit is not a digit, so flips are left out.
SETTINGS = ("--weights", "builtin", "--augment", "rotation,zoom,translation")


def main(folder: Path = FOLDER) -> NoReturn:
    """Run the quickstart below ``folder``; exit with 0 only if every step succeeded."""
    started = time.perf_counter()
    photos, unseen, out = folder / "digits", folder / "unseen", folder / "out"
    training, held_out = write_images(photos, unseen, UNSEEN, SEED)
    say(
        f"{counted(training, 'image')} of handwritten digits in {photos}/; {held_out} more held out"
    )
    edge("convert", str(photos), "-o", str(out), *SETTINGS, "--force")
    predictions = edge_json(
        "classify", str(out / "model.tflite"), str(unseen), "--top", "1", "--json"
    )
    print_table(count_right(predictions, unseen))
    say(f"Report:  {out / 'report.html'}")
    say(f"Model:   {out / 'model.tflite'}")
    say(f"{time.perf_counter() - started:.0f} s in total")
    sys.exit(0)


def write_images(photos: Path, unseen: Path, per_class: int, seed: int) -> tuple[int, int]:
    """Write the digits as PNG files, a folder per class.

    Args:
        photos: Folder for the training images.
        unseen: Folder for ``per_class`` held-out images of each class.
        per_class: Number of held-out images of each class.
        seed: Seed of the random choice.

    Returns:
        The number of images in ``photos`` and in ``unseen``.
    """
    with np.load(DIGITS) as digits:
        images, labels = digits["images"], digits["labels"]
    for target in (photos, unseen):
        shutil.rmtree(target, ignore_errors=True)
    rng = np.random.default_rng(seed)
    numbers = {photos: 0, unseen: 0}
    for label in range(10):
        members = rng.permutation(np.flatnonzero(labels == label))
        for rank, index in enumerate(members):
            target = unseen if rank < per_class else photos
            path = target / str(label) / f"{index:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            if not cv2.imwrite(str(path), render(images[index].astype(np.float64))):
                fail(f"could not write {path}")
            numbers[target] += 1
    return numbers[photos], numbers[unseen]


def render(digit: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Render a digit of values 0–16, [8, 8], as dark ink on white: uint8 [SIDE, SIDE]."""
    large = cv2.resize(digit, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    image: NDArray[np.uint8] = np.clip(np.rint(255 - large * 255 / 16), 0, 255).astype(np.uint8)
    return image


def edge(*arguments: str) -> None:
    """Run ``edge ARGUMENTS``, shown as a user would type it; end here if it fails."""
    say(f"\n$ {shlex.join(['edge', *arguments])}")
    finish(subprocess.run([sys.executable, "-m", "edge", *arguments], check=False).returncode)


def edge_json(*arguments: str) -> list[dict[str, object]]:
    """Run ``edge ARGUMENTS`` and return its JSON; see :func:`edge`."""
    say(f"\n$ {shlex.join(['edge', *arguments])}")
    command = [sys.executable, "-m", "edge", *arguments]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    finish(done.returncode)
    predictions: list[dict[str, object]] = json.loads(done.stdout)
    return predictions


def finish(code: int) -> None:
    """End the quickstart if a command failed."""
    if code != 0:
        fail(f"the command above failed with exit code {code}", code)


def count_right(predictions: list[dict[str, object]], unseen: Path) -> dict[str, tuple[int, int]]:
    """Count correct and all predictions of ``edge classify --json`` for ``unseen/CLASS/*``."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for prediction in predictions:
        truth = Path(str(prediction["file"])).parent.name
        classes = prediction["classes"]
        assert isinstance(classes, list)
        total[truth] += 1
        right[truth] += classes[0]["label"] == truth
    expected = {path.name: len(list(path.iterdir())) for path in unseen.iterdir()}
    if total != expected:
        images = counted(sum(expected.values()), "image")
        fail(f"expected predictions for {images}, found {total.total()}")
    return {name: (right[name], total[name]) for name in sorted(total)}


def print_table(counts: dict[str, tuple[int, int]]) -> None:
    """Print the number of correct predictions for each class and in total."""
    right, total = (sum(column) for column in zip(*counts.values(), strict=True))
    say("\nHeld-out images:")
    say("class  correct")
    for name, (good, number) in counts.items():
        say(f"{name:>5}  {good:>3} of {number}")
    say(f"  all  {right:>3} of {total} = {right / total:.1%} with the int8 model\n")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def fail(reason: str, code: int = 2) -> NoReturn:
    """Print the reason on stderr and exit with ``code``."""
    print(f"quickstart: {reason}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
