"""What the page says in whole sentences about the choice, the scores and the Edge TPU."""

from collections.abc import Mapping
from typing import Any

from converters.report.words import number, percent, size


def scores(confidence: Mapping[str, Any]) -> tuple[str, ...]:
    """What the temperature did to the scores of the test side, better or worse."""
    temperature, test = confidence["temperature"], confidence["test"]
    if temperature == 1:
        return (
            f"The scores are left as they are; on the test side their mean distance from the "
            f"truth (expected calibration error) is {percent(test['ece_after'])}.",
        )
    kind = "too sure" if temperature > 1 else "not sure enough"
    return (
        f"On the validation side the scores were {kind}; the logits are divided by "
        f"{temperature:.2f} (temperature scaling), which changes no answer, only its score.",
        f"On the test side the log-loss {_moved(test, 'log_loss', 1, '')}, and the mean distance "
        f"of score and truth (expected calibration error) {_moved(test, 'ece', 100, ' %')}.",
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
            "No threshold is stored, so the model names a class whatever it sees. "
            "With --precision 0.95 it says “unknown” where it is not sure enough."
        )
    accepted = (
        f"{percent(found['coverage'])} of {number(found['pictures'], 'validation picture')} score "
        f"that much, and {percent(found['reached'])} of these are right"
    )
    if found["reached"] >= found["wanted"]:
        return f"Below a score of {percent(found['score'])} the answer is “unknown”: {accepted}."
    return (
        f"No threshold gives the precision of {percent(found['wanted'])} that was asked for. The "
        f"nearest is a score of {percent(found['score'])}: {accepted}."
    )


def edgetpu(name: str, prediction: Mapping[str, Any]) -> str:
    """How much of a variant the Edge TPU is foreseen to take."""
    left = sum(prediction["cpu"].values())
    every = prediction["mapped"] + left
    if prediction["status"] == "full":
        return f"All {number(every, 'operation')} of {name} are foreseen to run on the Edge TPU."
    if prediction["status"] == "none":
        return f"Nothing of {name} is foreseen to run on the Edge TPU: it would stay on the CPU."
    return (
        f"{prediction['mapped']} of {number(every, 'operation')} of {name} are foreseen to run on "
        f"the Edge TPU, {left} on the CPU."
    )


def memory(prediction: Mapping[str, Any]) -> str:
    """Where its parameters are foreseen to lie."""
    kept, streamed = (prediction["parameters"][where] for where in ("on_chip", "off_chip"))
    if not streamed:
        return f"Its {size(kept)} of parameters should fit on the chip, of about 8 MB (estimated)."
    return (
        f"{size(kept)} of its parameters should fit on the chip, of about 8 MB; {size(streamed)} "
        f"are fetched anew for every picture, which takes time (estimated)."
    )
