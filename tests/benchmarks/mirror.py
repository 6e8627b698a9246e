"""How long the mirror looks for the closest of many poses.

python tests/benchmarks/mirror.py [poses]
"""

import sys
import time

import numpy as np

from edge.results import Keypoint, Pose
from edge.tasks.mirror.matching import body, library, normalised
from edge.tasks.pose.names import COCO

ROUNDS = 200


def main() -> None:
    """Print the times of a query among random poses."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    random = np.random.default_rng(0)
    people = random.uniform(0, 1, (count, len(COCO), 3)).astype(np.float32)
    people[..., 2] = random.uniform(0.3, 1, people.shape[:2])
    vectors = [vector for one in people if (vector := normalised(one)) is not None]
    known = library(vectors)
    milliseconds, found = [], 0
    for number in random.integers(0, count, ROUNDS):
        points = zip(COCO, people[number].tolist(), strict=True)
        asked = Pose(1.0, tuple(Keypoint(name, x, y, score) for name, (x, y, score) in points))
        start = time.perf_counter()
        nearest = known.nearest(body(asked))
        milliseconds.append(1000 * (time.perf_counter() - start))
        found += nearest is not None and nearest.number == number and not nearest.mirrored
    p50, p95 = np.percentile(milliseconds, [50, 95])
    print(f"{len(vectors):,} poses, {ROUNDS} queries: {found} find themselves")
    print(f"p50 {p50:.2f} ms, p95 {p95:.2f} ms, least {min(milliseconds):.2f} ms")


if __name__ == "__main__":
    main()
