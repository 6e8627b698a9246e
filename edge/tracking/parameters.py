"""What the tracker goes by."""

from dataclasses import dataclass

from edge.tracking.motion import Noise

NOISE = Noise(
    measured=(0.03, 0.05, 0.10, 0.10),
    moved=(0.03, 0.03, 0.01, 0.01),
    accelerated=(0.02, 0.005, 0.0005, 0.0005),
    started=(0.2, 0.1, 0.01, 0.01),
)
"""Walking people, seen by a detector that is a twentieth of their height off."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the tracker goes by: one set for every camera, frame rate and detector.

    Chosen by measuring, on generated sequences and on MOT15's TUD-Campus at several frame rates
    and with detections left out; see tests/benchmarks/tracker.py.

    ``least``, ``new``, ``high``: scores from which a detection continues a track, starts one,
    and is of the first stage. ``limit``, ``strict``: cost up to which a pair is made in the
    first stage, and in the others. ``heading``: what going on in the same direction saves, half
    of it at most; the direction is that of the last ``memory`` detections. ``evidence``: sum of
    squared scores from which a track is believed. ``doubtful``, ``believed``: steps without a
    detection after which a track is given up, before and after. ``coasting``, ``covered``: steps
    for which a missed track is reported, as it is and while at least ``cover`` of it lies behind
    others. ``smooth``: share of the filter's box, beside the detection's, in what is reported.
    ``double``: share of a new detection that may lie within a track just seen.
    """

    noise: Noise = NOISE
    least: float = 0.1
    new: float = 0.4
    high: float = 0.6
    limit: float = 8.0
    strict: float = 6.0
    heading: float = 1.5
    memory: int = 8
    evidence: float = 1.5
    doubtful: float = 2.0
    believed: float = 60.0
    coasting: float = 2.0
    covered: float = 6.0
    cover: float = 0.3
    smooth: float = 0.7
    double: float = 0.6
