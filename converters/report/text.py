"""Sentences of the report about the scores, the Edge TPU and the board."""

from collections.abc import Iterable

from converters.report.formatting import milliseconds, number, percent, size
from converters.report.sections import (
    BoardReport,
    CalibrationReport,
    EstimateReport,
    PublishedLatencyReport,
)
from converters.report.variant import (
    EdgeTpuMemoryReport,
    EdgeTpuReport,
    ThresholdReport,
    TimingReport,
    VariantReport,
)
from edge.benchmark import NOISE_ADVICE

_RUNS_ON = {"cpu": "the CPU", "edgetpu": "the Edge TPU"}

_SINGLE_TIME = " A single time gives no range, so the range is the spread seen on other boards."


def latency(timing: TimingReport) -> str:
    """Format the median, and say if it is noisy."""
    return f"{milliseconds(timing.p50_ms)}{' (noisy)' if timing.noisy else ''}"


def noise_warning(rows: Iterable[VariantReport]) -> str | None:
    """Return a warning that names the variants whose timings are noisy."""
    noisy = [row.name for row in rows if any(timing.noisy for timing in row.timings)]
    if not noisy:
        return None
    return f"The timings of {', '.join(noisy)} are noisy, also measured again: {NOISE_ADVICE}."


def calibration_summary(calibration: CalibrationReport) -> tuple[str, ...]:
    """Summarize the effect of temperature scaling on the scores of the test split."""
    temperature, test = calibration.temperature, calibration.test
    if temperature == 1:
        return (
            f"The scores are unchanged, as the validation split does not prove that they are off; "
            f"on the test split their expected calibration error is "
            f"{percent(test.ece_after)}.",
        )
    log_loss = _change(test.log_loss_before, test.log_loss_after, 1, "")
    error = _change(test.ece_before, test.ece_after, 100, " %")
    kind = "overconfident" if temperature > 1 else "underconfident"
    return (
        f"On the validation split the scores were {kind}. The logits are divided by "
        f"{temperature:.2f} (temperature scaling), which changes scores but no predicted class.",
        f"On the test split the log-loss {log_loss}, and the expected calibration error {error}.",
    )


def _change(before: float, after: float, factor: float, unit: str) -> str:
    decimals = 3 if factor == 1 else 1
    first, then = (f"{factor * value:.{decimals}f}{unit}" for value in (before, after))
    if first == then:
        return f"stayed at {then}"
    return f"{'fell' if after < before else 'rose'} from {first} to {then}"


def threshold_summary(threshold: ThresholdReport | None) -> str:
    """Summarize the precision of the stored score threshold, or say that there is none."""
    if threshold is None:
        return (
            "No score threshold is stored, so the model predicts a class for every image. "
            "Use --precision 0.95 to have it answer “unknown” when it is not confident enough."
        )
    score, images = percent(threshold.score), number(threshold.images, "validation image")
    accepted = (
        f"{percent(threshold.coverage)} of {images} reach it, and "
        f"{percent(threshold.reached)} of these are correct"
    )
    if threshold.met:
        return f"Below a score of {score} the answer is “unknown”: {accepted}."
    return (
        f"No threshold reaches the requested precision of {percent(threshold.precision)}. "
        f"The closest is a score of {score}: {accepted}."
    )


def edgetpu_summary(name: str, prediction: EdgeTpuReport) -> str:
    """Summarize how many operations of a variant are predicted to run on the Edge TPU."""
    on_cpu, total = prediction.on_cpu, prediction.operations
    if prediction.status == "full":
        return f"All {number(total, 'operation')} of {name} are predicted to run on the Edge TPU."
    if prediction.status == "none":
        return f"No operation of {name} is predicted to run on the Edge TPU: it stays on the CPU."
    return (
        f"{prediction.mapped} of {number(total, 'operation')} of {name} are predicted to run on "
        f"the Edge TPU, {on_cpu} on the CPU."
    )


def memory_summary(parameters: EdgeTpuMemoryReport) -> str:
    """Summarize how many parameters are predicted to fit into the Edge TPU's memory."""
    on_chip, streamed = parameters.on_chip, parameters.off_chip
    if not streamed:
        kept = f"Its {size(on_chip)} of parameters"
        return f"{kept} should fit into about 8 MB on the chip (estimated)."
    return (
        f"{size(on_chip)} of its parameters should fit into about 8 MB on the chip; "
        f"{size(streamed)} are streamed for every image, which takes time (estimated)."
    )


def board_summary(board: BoardReport, chosen: str) -> tuple[str, ...]:
    """Describe the settings for the board and the estimated latency of the chosen file."""
    threads = number(board.threads, "thread") if board.threads else "one thread per core"
    settings = (
        f"Made for this board: target {board.target}, input {board.size} × {board.size} "
        f"pixels, to run with {threads} on its CPU."
    )
    return settings, estimated_latency(board, chosen)


def estimated_latency(board: BoardReport, name: str) -> str:
    """Describe the estimated latency of the chosen file on the board in a sentence."""
    estimate = board.estimates[name]
    if estimate is None:
        return (
            f"The latency of {name} on the {board.title} is not estimated, as no comparable "
            "latency is published. Measure it there with “edge bench”."
        )
    published = number(len(estimate.published), "published time")
    single = len(estimate.published) == 1
    return (
        f"Estimated latency of {name} on the {board.title}: about "
        f"{_two_digits(estimate.ms)} ms per image ({_range(estimate)}) on "
        f"{_RUNS_ON[estimate.runs_on]}. Based on {published} and the multiply-adds, not "
        f"measured on this board.{_SINGLE_TIME if single else ''}"
    )


def board_rows(board: BoardReport) -> list[dict[str, str | int]]:
    """Return the rows of the table of estimated latencies."""
    return [
        {
            "name": name,
            "runs_on": _RUNS_ON[estimate.runs_on],
            "ms": f"{_two_digits(estimate.ms)} ms",
            "range": _range(estimate),
            "published": len(estimate.published),
        }
        for name, estimate in board.estimates.items()
        if estimate is not None
    ]


def published_latencies(board: BoardReport) -> list[PublishedLatencyReport]:
    """Return the published latencies behind the estimates, each once."""
    estimates = [estimate for estimate in board.estimates.values() if estimate]
    latencies: list[PublishedLatencyReport] = []
    for estimate in estimates:
        latencies += [latency for latency in estimate.published if latency not in latencies]
    return latencies


def _range(estimate: EstimateReport) -> str:
    return f"{_two_digits(estimate.low_ms)} to {_two_digits(estimate.high_ms)} ms"


def _two_digits(value: float) -> str:
    """Format with two significant digits.

    >>> _two_digits(147.39), _two_digits(17.0), _two_digits(0.1234)
    ('150', '17', '0.12')
    """
    return f"{float(f'{value:.2g}'):g}"
