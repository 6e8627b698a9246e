"""What the page says in whole sentences about the choice, the scores and the Edge TPU."""

from collections.abc import Mapping
from typing import Any

from converters.report.formatting import number, percent, size


def scores(confidence: Mapping[str, Any]) -> tuple[str, ...]:
    """What the temperature did to the scores of the test side, better or worse."""
    temperature, test = confidence["temperature"], confidence["test"]
    if temperature == 1:
        return (
            f"The scores are unchanged; on the test split their expected calibration error is "
            f"{percent(test['ece_after'])}.",
        )
    kind = "overconfident" if temperature > 1 else "underconfident"
    return (
        f"On the validation split the scores were {kind}. The logits are divided by "
        f"{temperature:.2f} (temperature scaling), which changes scores but no predicted class.",
        f"On the test split the log-loss {_moved(test, 'log_loss', 1, '')}, and the expected "
        f"calibration error {_moved(test, 'ece', 100, ' %')}.",
    )


def _moved(test: Mapping[str, Any], what: str, factor: float, unit: str) -> str:
    before, after = (factor * test[f"{what}_{when}"] for when in ("before", "after"))
    first, then = (f"{value:.{3 if factor == 1 else 1}f}{unit}" for value in (before, after))
    if first == then:
        return f"stayed at {then}"
    return f"{'fell' if after < before else 'rose'} from {first} to {then}"


def threshold(chosen: Mapping[str, Any]) -> str:
    """What the stored threshold promises, or that there is none."""
    found = chosen["threshold"]
    if found is None:
        return (
            "No score threshold is stored, so the model predicts a class for every image. "
            "Use --precision 0.95 to have it answer “unknown” when it is not confident enough."
        )
    accepted = (
        f"{percent(found['coverage'])} of {number(found['images'], 'validation image')} reach "
        f"it, and {percent(found['reached'])} of these are correct"
    )
    if found["reached"] >= found["wanted"]:
        return f"Below a score of {percent(found['score'])} the answer is “unknown”: {accepted}."
    return (
        f"No threshold reaches the requested precision of {percent(found['wanted'])}. The closest "
        f"is a score of {percent(found['score'])}: {accepted}."
    )


def edgetpu(name: str, prediction: Mapping[str, Any]) -> str:
    """How much of a variant the Edge TPU is foreseen to take."""
    left = sum(prediction["cpu"].values())
    every = prediction["mapped"] + left
    if prediction["status"] == "full":
        return f"All {number(every, 'operation')} of {name} are predicted to run on the Edge TPU."
    if prediction["status"] == "none":
        return f"No operation of {name} is predicted to run on the Edge TPU: it stays on the CPU."
    return (
        f"{prediction['mapped']} of {number(every, 'operation')} of {name} are predicted to run on "
        f"the Edge TPU, {left} on the CPU."
    )


def memory(prediction: Mapping[str, Any]) -> str:
    """Where its parameters are foreseen to lie."""
    kept, streamed = (prediction["parameters"][where] for where in ("on_chip", "off_chip"))
    if not streamed:
        return f"Its {size(kept)} of parameters should fit into about 8 MB on the chip (estimated)."
    return (
        f"{size(kept)} of its parameters should fit into about 8 MB on the chip; {size(streamed)} "
        f"are streamed for every image, which takes time (estimated)."
    )
