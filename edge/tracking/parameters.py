"""What the tracker goes by."""

from dataclasses import dataclass

from edge.tracking.kalman import KalmanNoise

NOISE = KalmanNoise(
    measured=(0.03, 0.05, 0.10, 0.10),
    moved=(0.03, 0.03, 0.01, 0.01),
    accelerated=(0.02, 0.005, 0.0005, 0.0005),
    started=(0.2, 0.1, 0.01, 0.01),
)
"""Walking people, seen by a detector that is a twentieth of their height off."""


@dataclass(frozen=True, slots=True)
class TrackerParameters:
    """What the tracker goes by: one set for every camera, frame rate and detector.

    Chosen by measuring, on generated sequences and on MOT15's TUD-Campus at several frame rates
    and with detections left out; see tests/benchmarks/tracker.py.

    Scores: ``least``, ``new`` and ``high`` are those from which a detection continues a track,
    starts one, and is of the first stage; ``evidence`` is the sum of squared scores from which a
    track is believed.

    Costs, in nats: ``limit`` and ``strict`` are those below which a pair is made, in the first
    stage and in the others; going straight on saves half of ``heading``, where the direction is
    that of the last ``memory`` detections.

    Shares: a detection that overlaps a better one by more than ``double`` (intersection over
    union) is left out, and one of which more than ``within`` lies in a track just seen starts
    none. One of which ``within`` lies in a track that has nothing else is its visible part, if it
    is ``part`` of its area or more, and counts as a measurement with ``part_doubt`` times the
    variance. ``smooth`` is the share of the filter's box, beside the detection's, in what is
    reported.

    Steps: a track is given up when it was missed for longer than ``doubtful``, or ``believed``
    if it is. A missed one is reported for ``coasting``, and for ``covered`` while ``cover`` of it
    lies behind another.
    """

    noise: KalmanNoise = NOISE
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
    cover: float = 0.7
    smooth: float = 0.7
    double: float = 0.5
    within: float = 0.6
    part: float = 0.3
    part_doubt: float = 9.0
