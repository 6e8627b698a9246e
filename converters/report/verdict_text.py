"""Sentences of the report about the verdict: what the images prove."""

from converters.report.evidence import CrossValidationReport, JudgmentReport
from converters.report.formatting import interval, number, percent, sentence, size
from converters.report.model import Report
from converters.report.text import latency
from converters.training.cross_validation import FEW_IMAGES
from edge.quantities import counted

STATUS_NAMES = {"pass": "Pass", "not-proven": "Not proven", "fail": "Fail"}


def overall_status(report: Report) -> str:
    """Return the status of the verdict, or "fail" where no variant meets the limits."""
    return report.verdict.status if report.choice.met else "fail"


def verdict_line(report: Report) -> str:
    """Summarize the verdict on the chosen variant in one sentence."""
    chosen, quality = report.chosen_variant, report.chosen_variant.quality
    return (
        f"{_opening(report)}: {percent(quality.value)} ({interval(quality.interval)}) "
        f"{report.metric.name} on {tested(report)}; {size(chosen.bytes)}; "
        f"{latency(chosen.timing)} on {chosen.timing.runner()}"
    )


def tested(report: Report) -> str:
    """Say how many images were held out, and how many of each class where these are few."""
    images, fewest = number(report.split.sizes.test, "unseen image"), _fewest(report)
    if fewest is None or fewest >= FEW_IMAGES:
        return images
    return f"{images} ({fewest} of the rarest class, fewer than {FEW_IMAGES})"


def reasons(report: Report) -> tuple[str, ...]:
    """Say what is not proven or missed, and what would help; else why the variant passes."""
    verdict = report.verdict
    open_ones = [judgment for judgment in verdict.judgments if judgment.status != "pass"]
    if not open_ones:
        return (sentence(verdict.reason),)
    return tuple(
        sentence(f"{judgment.reason}{_photos(report, judgment)}") for judgment in open_ones
    )


def cross_validation_summary(report: Report) -> str | None:
    """Say what the cross-validated head reached, and how it differs from the test accuracy."""
    validated = report.cross_validation
    if validated is None:
        return None
    return (
        f"Cross-validated head: {percent(validated.accuracy)} ({interval(validated.interval)}) "
        f"accuracy on {validated_images(validated)}. It is a float32 head on the frozen backbone, "
        f"not {report.chosen} itself, whose accuracy is that on the held-out test images."
    )


def validated_images(validated: CrossValidationReport) -> str:
    """Say which images the cross-validation was on."""
    times = "once" if validated.repetitions == 1 else f"{validated.repetitions} times"
    return (
        f"all {number(validated.images, 'image')}, each predicted {times} by heads fitted "
        f"without it ({validated.folds} folds)"
    )


def weak_class_evidence(report: Report) -> str:
    """Say which predictions the weak classes are counted in."""
    if report.cross_validation is not None:
        return "by the cross-validated head"
    return "by float32, on the validation and test images"


def _fewest(report: Report) -> int | None:
    return min((entry.support for entry in report.chosen_variant.quality.per_class), default=None)


def _photos(report: Report, judgment: JudgmentReport) -> str:
    """Say how many photos it takes to have so many more test images, or what else helps."""
    if judgment.requirement != "loss" or judgment.status != "not-proven":
        return ""
    relax = "allow a larger loss with --max-drop"
    if judgment.more_images is None or report.split.fractions is None:
        return f"; {relax} where that is acceptable"
    photos = _two_digits(judgment.more_images / report.split.fractions["test"])
    words = counted(photos, "photo")
    return f" (about {words}, as the test split gets a part of them); or {relax}"


def _two_digits(count: float) -> int:
    return int(float(f"{count:.1e}"))


def _opening(report: Report) -> str:
    verdict = report.verdict
    name, allowed = verdict.variant, f"{verdict.max_drop:g} points allowed"
    if verdict.status != "fail" and not report.choice.met:
        return f"{name} does not meet the limits"
    worst = next((j for j in verdict.judgments if j.status == verdict.status), None)
    requirement, required = worst.requirement if worst else "loss", f"{report.metric.name} required"
    if verdict.status == "fail":
        return {
            "loss": f"{name} loses more than the {allowed}",
            "baseline": f"{name} is no better than always predicting one class",
        }.get(requirement, f"{name} is below the {required}")
    if verdict.status == "not-proven":
        return {
            "loss": f"{name} may lose more than the {allowed}",
            "baseline": f"{name} is not shown to be better than always predicting one class",
        }.get(requirement, f"{name} is not shown to have the {required}")
    if name == "float32":
        return f"{name} is the model as trained"
    if verdict.drop <= 0:
        return f"{name} is as accurate as float32"
    return f"{name} stays within the {allowed}"
