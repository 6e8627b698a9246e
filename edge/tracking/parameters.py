"""Parameters of the tracker."""

from dataclasses import dataclass

from edge.tracking.kalman import KalmanNoise

NOISE = KalmanNoise(
    position=(0.03, 0.05, 0.10, 0.10),
    process=(0.03, 0.03, 0.01, 0.01),
    acceleration=(0.02, 0.005, 0.0005, 0.0005),
    initial_velocity=(0.2, 0.1, 0.01, 0.01),
)
"""Noise of walking people, whose detections are off by a twentieth of their height."""


@dataclass(frozen=True, slots=True)
class TrackerParameters:
    """Parameters of the tracker: one set for every camera, frame rate and detector.

    Chosen by measuring, on generated sequences and on MOT15's TUD-Campus at several frame rates
    and with detections left out; see tests/benchmarks/tracker.py.

    Attributes:
        noise: Standard deviations of the Kalman filter.
        min_score: Minimum score of a detection that continues a track.
        new_track_score: Minimum score of a detection that starts a track.
        high_score: Minimum score of a detection that is matched in the first stage.
        max_cost: Cost in nats below which a pair is matched in the first stage.
        max_cost_strict: The same in the later stages.
        direction_weight: Twice the cost in nats that continuing straight ahead saves.
        direction_detections: Detections from which the direction of a track is computed.
        confirm_evidence: Sum of squared scores from which a track is confirmed.
        max_age_tentative: Steps after its last detection at which a tentative track ends.
        max_age_confirmed: The same for a confirmed track.
        coast_steps: Steps for which a missed track is still reported.
        coast_steps_occluded: The same for a track that another one occludes.
        occluded_fraction: Covered fraction of its box from which a track is occluded.
        filter_weight: Weight of the filter's box in the reported one, beside the detection's.
        duplicate_iou: IoU above which the lower-scoring of two detections is dropped.
        inside_fraction: Fraction of a detection within a track from which it is a part of it, and
            starts no track of its own.
        min_part_area: Minimum area of a visible part, as a fraction of its track's.
        part_variance: Factor on the variance of a visible part as a measurement.
    """

    noise: KalmanNoise = NOISE
    min_score: float = 0.1
    new_track_score: float = 0.4
    high_score: float = 0.6
    max_cost: float = 8.0
    max_cost_strict: float = 6.0
    direction_weight: float = 1.5
    direction_detections: int = 8
    confirm_evidence: float = 1.5
    max_age_tentative: float = 2.0
    max_age_confirmed: float = 60.0
    coast_steps: float = 2.0
    coast_steps_occluded: float = 6.0
    occluded_fraction: float = 0.7
    filter_weight: float = 0.7
    duplicate_iou: float = 0.5
    inside_fraction: float = 0.6
    min_part_area: float = 0.3
    part_variance: float = 9.0
