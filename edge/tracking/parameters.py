"""All constants of the tracker: one set for every camera, frame rate and detector.

Times are in seconds and lengths are fractions of a box's height, so that nothing depends on the
frame rate or on the size of the image. tests/benchmarks/tracker_parameters.py chooses them, always
with one sequence left out.
"""

from dataclasses import dataclass

Fractions = tuple[float, float, float, float]
"""One number each for center x, center y, width and height."""


@dataclass(frozen=True, slots=True)
class KalmanNoise:
    """Standard deviations as fractions of the box's height.

    Attributes:
        position: Of a detection.
        process: Of the value, after a second.
        acceleration: Of the velocity per second, after a second.
        initial_velocity: Of the velocity per second of a new track.
    """

    position: Fractions = (0.05, 0.05, 0.09, 0.10)
    process: Fractions = (0.10, 0.04, 0.1, 0.0)
    acceleration: Fractions = (0.20, 0.08, 0.02, 0.02)
    initial_velocity: Fractions = (0.6, 0.2, 0.05, 0.05)


@dataclass(frozen=True, slots=True)
class TrackerParameters:
    """Parameters of the tracker.

    Attributes:
        noise: Standard deviations of the Kalman filter, those of walking people.
        min_score: Minimum score of a detection that continues a track.
        new_track_score: Minimum score of a detection that starts a track.
        high_score: Minimum score of a detection that is matched in the first stage.
        max_cost: Cost in nats below which a pair is matched in the first stage.
        max_cost_strict: The same in the later stages.
        degrees_of_freedom: Of Student's t-distribution of detections about their prediction: the
            fewer, the more often one is far off.
        direction_weight: Twice the cost in nats that continuing straight ahead saves.
        direction_detections: Detections from which the direction of a track is computed.
        overlap_iou: Minimum IoU of a pair in the last stage, of boxes enlarged by
            ``overlap_margin`` of their sides.
        overlap_margin: See ``overlap_iou``.
        overlap_age: Seconds since its last detection within which a track is matched by overlap.
        confirm_evidence: Sum of squared scores from which a track is confirmed.
        max_age_tentative: Seconds after its last detection at which a tentative track ends; it
            may always miss one frame.
        max_age_confirmed: The same for a confirmed track.
        max_coast_spread: A missed track is reported while the standard deviations of its center,
            as fractions of its sides, add up to at most this.
        filter_weight: Weight of the filter's box in the reported one, relative to the detection's.
        duplicate_iou: IoU above which the lower-scoring of two detections is dropped.
        inside_fraction: Fraction of a detection within a track from which it is a part of it, and
            starts no track of its own.
        min_part_area: Minimum area of a visible part, as a fraction of its track's.
        part_variance: Factor on the variance of a visible part as a measurement.
        motion_tolerance: Median squared distance of detections from their predictions, relative to
            the one that the filter expects, above which objects are taken to move more.
        motion_memory: Seconds for which it is remembered how much they move.
        max_motion_scale: Largest factor on the variances of the filter's process noise.
        camera_tracks: Minimum number of tracks that show how the camera moved.
        camera_spread: Standard deviation of a camera's sudden movement between two frames.
        camera_memory: Seconds for which it is remembered how much the camera moves.
        camera_excess: Share by which the tracks' common shift has to exceed its noise, squared, on
            average, before the camera is taken to move.
    """

    noise: KalmanNoise = KalmanNoise()
    min_score: float = 0.1
    new_track_score: float = 0.4
    high_score: float = 0.6
    max_cost: float = 9.0
    max_cost_strict: float = 6.0
    degrees_of_freedom: float = 3.0
    direction_weight: float = 1.5
    direction_detections: int = 8
    overlap_iou: float = 0.2
    overlap_margin: float = 0.2
    overlap_age: float = 0.2
    confirm_evidence: float = 1.5
    max_age_tentative: float = 0.15
    max_age_confirmed: float = 2.0
    max_coast_spread: float = 0.35
    filter_weight: float = 0.8
    duplicate_iou: float = 0.5
    inside_fraction: float = 0.4
    min_part_area: float = 0.3
    part_variance: float = 9.0
    motion_tolerance: float = 0.8
    motion_memory: float = 0.5
    max_motion_scale: float = 16.0
    camera_tracks: int = 3
    camera_spread: float = 0.12
    camera_memory: float = 0.5
    camera_excess: float = 0.5
