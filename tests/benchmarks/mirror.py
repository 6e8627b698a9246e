"""How long the mirror looks for the closest of many poses.

    python tests/benchmarks/mirror.py [--poses 100000]

Beside it scikit-learn's nearest neighbor by cosine among the same vectors, which neither weighs
keypoints nor looks at mirror images; one after the other, since its threads go on spinning.
"""

import argparse
import time

import numpy as np

from edge.results import Keypoint, Pose
from edge.tasks.pose.keypoints import COCO
from edge.tasks.pose_match.similarity import keypoint_array, normalize_pose, pose_database

ROUNDS = 100


def main() -> None:
    """Print the times of a query among random poses."""
    # Not above: to look for examples the tests import every module, and this takes three seconds.
    from sklearn.neighbors import NearestNeighbors

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--poses", type=int, default=100_000)
    count = parser.parse_args().poses
    random = np.random.default_rng(0)
    people = random.uniform(0, 1, (count, len(COCO), 3)).astype(np.float32)
    people[..., 2] = random.uniform(0.3, 1, people.shape[:2])
    vectors = [vector for person in people if (vector := normalize_pose(person)) is not None]
    known = pose_database(vectors)
    plain = people[..., :2].reshape(count, -1)
    other = NearestNeighbors(n_neighbors=1, metric="cosine", algorithm="brute").fit(plain)
    ours, theirs, recognized = [], [], 0
    numbers = random.integers(0, count, ROUNDS)
    for number in numbers:
        points = zip(COCO, people[number].tolist(), strict=True)
        query = Pose(1.0, tuple(Keypoint(name, x, y, score) for name, (x, y, score) in points))
        start = time.perf_counter()
        nearest = known.nearest(keypoint_array(query))
        ours.append(1000 * (time.perf_counter() - start))
        recognized += nearest is not None and nearest.number == number and not nearest.mirrored
    for number in numbers:
        start = time.perf_counter()
        other.kneighbors(plain[number : number + 1])
        theirs.append(1000 * (time.perf_counter() - start))
    p50, p95 = np.percentile(ours, [50, 95])
    baseline = np.median(theirs)
    print(f"{len(vectors):,} poses, {ROUNDS} queries: {recognized} find themselves")
    print(f"p50 {p50:.2f} ms, p95 {p95:.2f} ms; scikit-learn {baseline:.2f} ms: "
          f"{p50 / baseline:.2f}x")  # fmt: skip


if __name__ == "__main__":
    main()
