"""Sentences of the report about the verdict, the scores, the Edge TPU and the board."""

from collections.abc import Mapping
from typing import Any

from converters.report.formatting import interval, milliseconds, number, percent, runner, size

_RUNS_ON = {"cpu": "the CPU", "edgetpu": "the Edge TPU"}

_SINGLE_TIME = " A single time gives no range, so the range is the spread seen on other boards."


def verdict_line(record: Mapping[str, Any]) -> str:
    """The verdict on the chosen variant in one plain sentence."""
    chosen = record["variants"][record["chosen"]]
    tested = record["split"]["sizes"]["test"]
    return (
        f"{_verdict_opening(record['verdict'])}: {percent(chosen['accuracy'])} "
        f"({interval(chosen['accuracy_interval'])}) accuracy on {number(tested, 'unseen image')}; "
        f"{size(chosen['bytes'])}; {milliseconds(chosen['p50_ms'])} on {runner(chosen['latency'])}"
    )


def _verdict_opening(verdict: Mapping[str, Any]) -> str:
    name, allowed = verdict["variant"], f"{verdict['max_drop']:g} points allowed"
    if verdict["status"] == "fail":
        return f"{name} loses more than the {allowed}"
    if verdict["status"] == "warn":
        return f"{name} may lose more than the {allowed}"
    if name == "float32":
        return f"{name} is the model as trained"
    if verdict["drop"] <= 0:
        return f"{name} is as accurate as float32"
    return f"{name} stays within the {allowed}"


def majority_share(record: Mapping[str, Any]) -> float:
    """The accuracy of always naming the commonest class of the test side."""
    supports = [row["support"] for row in record["variants"][record["chosen"]]["per_class"]]
    return float(max(supports) / sum(supports))


def baseline_warning(record: Mapping[str, Any]) -> str | None:
    """A warning where the model is not shown to be better than naming one class always."""
    chosen, share = record["variants"][record["chosen"]], majority_share(record)
    if chosen["accuracy_interval"][0] > share:
        return None
    return (
        f"The model is not shown to be better than always predicting the most common class "
        f"({percent(share)}). Add images, or check that the classes can be told apart."
    )


def calibration_summary(confidence: Mapping[str, Any]) -> tuple[str, ...]:
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


def threshold_summary(chosen: Mapping[str, Any]) -> str:
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


def edgetpu_summary(name: str, prediction: Mapping[str, Any]) -> str:
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


def memory_summary(prediction: Mapping[str, Any]) -> str:
    """Where its parameters are foreseen to lie."""
    kept, streamed = (prediction["parameters"][where] for where in ("on_chip", "off_chip"))
    if not streamed:
        return f"Its {size(kept)} of parameters should fit into about 8 MB on the chip (estimated)."
    return (
        f"{size(kept)} of its parameters should fit into about 8 MB on the chip; {size(streamed)} "
        f"are streamed for every image, which takes time (estimated)."
    )


def board_summary(record: Mapping[str, Any]) -> tuple[str, ...]:
    """How it was made for the board, and what the chosen file would take there."""
    board = record["board"]
    threads = number(board["threads"], "thread") if board["threads"] else "one thread per core"
    made = (
        f"Made for this board: target {board['target']}, input {board['size']} × {board['size']} "
        f"pixels, to run with {threads} on its CPU."
    )
    return made, estimated_latency(record)


def estimated_latency(record: Mapping[str, Any]) -> str:
    """What the chosen file would take on the board, in a sentence."""
    board, name = record["board"], record["chosen"]
    found = board["estimates"][name]
    if found is None:
        return (
            f"The latency of {name} on the {board['title']} is not estimated, as no comparable "
            "latency is published. Measure it there with “edge bench”."
        )
    alone = len(found["published"]) == 1
    return (
        f"Estimated latency of {name} on the {board['title']}: about {_two_digits(found['ms'])} ms "
        f"per image ({_range(found)}) on {_RUNS_ON[found['runs_on']]}. Based on "
        f"{number(len(found['published']), 'published time')} and the multiply-adds, not measured "
        f"on this board.{_SINGLE_TIME if alone else ''}"
    )


def board_rows(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The table of all variants that there is an estimate of."""
    return [
        {
            "name": name,
            "runs_on": _RUNS_ON[found["runs_on"]],
            "ms": f"{_two_digits(found['ms'])} ms",
            "range": _range(found),
            "published": len(found["published"]),
        }
        for name, found in record["board"]["estimates"].items()
        if found is not None
    ]


def published_latencies(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What was published, each once."""
    seen: list[Mapping[str, Any]] = []
    for found in record["board"]["estimates"].values():
        seen += [one for one in (found or {"published": []})["published"] if one not in seen]
    return seen


def _range(found: Mapping[str, Any]) -> str:
    return f"{_two_digits(found['low_ms'])} to {_two_digits(found['high_ms'])} ms"


def _two_digits(value: float) -> str:
    """With two digits, as more would mean nothing.

    >>> _two_digits(147.39), _two_digits(17.0), _two_digits(0.1234)
    ('150', '17', '0.12')
    """
    return f"{float(f'{value:.2g}'):g}"
