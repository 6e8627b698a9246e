"""Python API: one function for each command, with the same options.

The functions import what they need when they are called, so that a command starts fast.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from converters.progress import Progress, SilentProgress
from edge.errors import OutputError, UsageError, check_list, did_you_mean
from edge.files import output_errors, write_atomic

if TYPE_CHECKING:
    from converters.edgetpu.compiler import CompiledModel
    from converters.edgetpu.prediction import EdgeTpuPrediction
    from converters.evaluation.records import Evaluation
    from converters.report.compare import Comparison
    from converters.report.model import Report
    from converters.selection.plan import CompressionPlan
    from converters.training.analysis import Suspect
    from edge.modelfile.normalization import Levels

PathLike = str | Path


def convert(
    dataset: PathLike,
    out: PathLike,
    *,
    task: str | None = None,
    head: str | None = None,
    weights: str | None = None,
    alpha: float | None = None,
    size: int | None = None,
    fine_tune: str = "auto",
    budget: float | None = None,
    fast: bool = False,
    epochs: int | None = None,
    batch_size: int = 32,
    dropout: float = 0.2,
    label_smoothing: float = 0.1,
    augment: str = "all",
    balance: str = "auto",
    seed: int = 0,
    recipes: Sequence[PathLike] = ("int8",),
    board: str | None = None,
    target: str | None = None,
    max_latency: float | None = None,
    max_size: float | None = None,
    min_accuracy: float | None = None,
    minimums: Mapping[str, float] | None = None,
    precision: float | None = None,
    max_drop: float = 2.0,
    quick: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    command: str | None = None,
) -> "Report":
    """Make a verified TFLite model from labeled images, like ``edge convert``.

    >>> import converters
    >>> report = converters.convert(
    ...     "photos/", "out/", weights="builtin", size=96, fine_tune="never"
    ... )
    >>> report.chosen, report.chosen_variant.accuracy > 0.5
    ('int8', True)

    Args:
        dataset: a folder of class folders, a zip or tar of one, or a CSV file; or images with boxes
            or masks.
        out: folder of the result: model.tflite, report.json, report.html and more.
        task: what to train, such as "classify"; None: what the images are labeled for.
        head: what a detector finds: boxes, or centers, points to count small objects that look
            alike; None: boxes.
        weights: pretrained weights of the backbone: imagenet, builtin, none or a file.
        alpha: width multiplier of MobileNetV2; None: from the weights.
        size: input size in pixels; None: from the board, else from the weights.
        fine_tune: auto, always or never.
        budget: time limit in seconds for ``fine_tune="auto"``, 60 by default, and for the training
            of a detector or segmenter, 300 by default.
        fast: of segmenters, a mask of 8 × 8 instead of 4 × 4 pixels: faster, and coarser.
        epochs: number of fine-tuning epochs.
        batch_size: images.
        dropout: share (0 to below 1) of features.
        label_smoothing: share (0 to below 1).
        augment: comma-separated list of flip, rotation, zoom, translation, brightness and
            contrast; or all, or none.
        balance: of classifiers whose classes differ in size, how the head is fitted: none,
            weights, oversample, undersample, logit-adjusted, or auto, the one of them with the
            lowest macro log-loss on the validation split.
        seed: of every random choice.
        recipes: compression recipes, by name or as TOML files; without limits, the variant of
            the last one is selected.
        board: name of the board that the model is for.
        target: cpu, edgetpu or all; None: the board's, else cpu.
        max_latency: maximum median latency of one inference on this computer's CPU, in ms.
        max_size: maximum file size in kB (1000 bytes).
        min_accuracy: minimum accuracy on the test split (0-1).
        minimums: the same for another task's metric, by the name of the command's option, such as
            ``{"min_accuracy": 0.9}``.
        precision: required precision (0-1) of the accepted predictions.
        max_drop: maximum accuracy loss against float32, in percentage points.
        quick: leave out the analysis of data set and training; the model is the same.
        force: replace an earlier result.
        progress: shows progress and notes; None: nothing is shown.
        command: recorded in the report; None: this call.

    Returns:
        The report; ``report.success`` is True if accuracy and limits are met.

    Raises:
        EdgeError: an option, the dataset, the weights, the output or the result is not usable.
    """
    from converters import pipeline
    from converters.training.augment import Augmentation
    from converters.training.config import TrainingOptions

    lowest = {"min_accuracy": min_accuracy, **(minimums or {})}
    plan = _plan(recipes, board, target, max_latency, max_size, lowest, precision, max_drop)
    if size is None and plan.board is not None:
        size = plan.board.run.size or None
    settings = pipeline.ConvertSettings(
        dataset=Path(dataset),
        out=Path(out).resolve(),
        weights=weights,
        alpha=alpha,
        size=size,
        task=task,
        quick=quick,
        head=head,
        force=force,
        training=TrainingOptions(
            fine_tune=fine_tune,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
            dropout=dropout,
            label_smoothing=label_smoothing,
            budget=budget,
            fast=fast,
            augmentation=Augmentation.parse(augment),
            balance=balance,
        ),
        plan=plan,
        command=_call(convert, dataset, out) if command is None else command,
    )
    return pipeline.convert(settings, progress or SilentProgress())


def compress(
    result: PathLike,
    out: PathLike,
    *,
    recipes: Sequence[PathLike],
    data: PathLike | None = None,
    board: str | None = None,
    target: str | None = None,
    max_latency: float | None = None,
    max_size: float | None = None,
    min_accuracy: float | None = None,
    minimums: Mapping[str, float] | None = None,
    precision: float | None = None,
    max_drop: float = 2.0,
    force: bool = False,
    progress: Progress | None = None,
    command: str | None = None,
) -> "Report":
    """Prune and quantize an existing result again, like ``edge compress``.

    Args:
        result: folder that :func:`convert` or this function wrote.
        out: folder of the new result.
        recipes: at least one; see :func:`convert` for this and the other options.
        data: path of the dataset, if it moved.
        board: see :func:`convert`.
        target: see :func:`convert`.
        max_latency: see :func:`convert`.
        max_size: see :func:`convert`.
        min_accuracy: see :func:`convert`.
        minimums: see :func:`convert`.
        precision: None: that of ``result``.
        max_drop: see :func:`convert`.
        force: replace an earlier result in ``out``.
        progress: shows progress and notes; None: nothing is shown.
        command: recorded in the report; None: this call.

    Raises:
        EdgeError: an option, ``result``, its dataset or the output is not usable.
    """
    from converters import pipeline

    settings = pipeline.CompressSettings(
        source=Path(result),
        out=Path(out).resolve(),
        data=None if data is None else Path(data),
        force=force,
        plan=_plan(
            recipes,
            board,
            target,
            max_latency,
            max_size,
            {"min_accuracy": min_accuracy, **(minimums or {})},
            precision,
            max_drop,
        ),
        command=_call(compress, result, out) if command is None else command,
    )
    return pipeline.compress(settings, progress or SilentProgress())


def compare(*results: PathLike, sort: str | None = None) -> "Comparison":
    """Compare the variants of one or more results, like ``edge compare``.

    Args:
        results: folders of results, or their report.json; int8 of the first is the baseline.
        sort: figure to sort by, best first: accuracy, agreement, time, size, gzip, operations or
            sparsity; None: in the order of the results.

    Raises:
        UsageError: no path, a path without a result, or given twice; an unknown figure.
    """
    from converters.report import compare as comparison

    compared = comparison.compare_results([Path(result) for result in results])
    return compared if sort is None else comparison.sorted_by(compared, sort)


def evaluate(
    model: PathLike,
    dataset: PathLike,
    out: PathLike | None = None,
    *,
    against: PathLike | None = None,
    renames: Mapping[str, str] | None = None,
    task: str | None = None,
    split: str | None = None,
    minimums: Mapping[str, float] | None = None,
    labels: PathLike | None = None,
    mean: "Levels | None" = None,
    std: "Levels | None" = None,
    delegate: str = "auto",
    threads: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> "Evaluation":
    """Measure a model on labeled images, like ``edge evaluate``.

    Args:
        model: a .tflite file that classifies, detects or segments, a folder that :func:`convert`
            wrote, or a name of the registry.
        dataset: images labeled for the model's task.
        out: folder for evaluation.json and evaluation.html; None: none is written.
        against: a second model, the reference of a paired comparison.
        renames: other names of classes of the model or the data set, ``{"old": "new"}``.
        task: classify, detect, count or segment; None: what the model is for.
        split: train, validation, test or all; None: test where the data set has splits.
        minimums: lower limits by name, of ``min_accuracy``, ``min_map``, ``min_map50``, ``min_f1``
            and ``min_miou``.
        labels: a file with the models' class names; None: those in or next to them.
        mean: see :meth:`edge.Classifier.open`.
        std: see :meth:`edge.Classifier.open`.
        delegate: auto, cpu or edgetpu.
        threads: CPU threads; None: one per core, at most 4.
        seed: of the resamples behind the intervals.
        progress: shows progress and notes; None: nothing is shown.

    Returns:
        The evaluation; ``evaluation.success`` is True if all limits are met.

    Raises:
        EdgeError: an option, a model, the data set or the output is not usable.
    """
    from converters.evaluation.evaluate import EvaluationSettings
    from converters.evaluation.evaluate import evaluate as measure
    from converters.evaluation.evaluation_task import ModelOptions

    settings = EvaluationSettings(
        model=Path(model),
        dataset=Path(dataset),
        against=None if against is None else Path(against),
        renames=renames or {},
        task=task,
        split=split,
        minimums=minimums or {},
        options=ModelOptions(
            labels=None if labels is None else Path(labels),
            mean=mean,
            std=std,
            delegate=delegate,
            threads=threads,
        ),
        seed=seed,
    )
    folder = None
    if out is not None:
        import_module("jinja2")  # where its extra is missing, that shows before the work begins
        folder = output_folder(Path(out))
    evaluation = measure(settings, progress or SilentProgress())
    if folder is not None:
        from converters.report.evaluation_page import render

        write_atomic(folder / "evaluation.html", render(evaluation))
        write_atomic(folder / "evaluation.json", evaluation.to_json())
    return evaluation


def output_folder(out: Path) -> Path:
    """Return the folder for an output, which is created if need be.

    Raises:
        OutputError: it cannot be written.
    """
    with output_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    return out


def find_suspects(
    dataset: PathLike,
    *,
    weights: str | None = None,
    worst: int | None = None,
    move: PathLike | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> "tuple[Suspect, ...]":
    """Find the images whose label is probably wrong, like ``edge dataset suspects``.

    Args:
        dataset: a folder of class folders, a zip or tar of one, or a CSV file.
        weights: see :func:`convert`.
        worst: only so many; None: all suspects.
        move: a new or empty folder outside ``dataset`` that the suspects are moved to;
            :func:`bring_back` undoes it. None: nothing is moved.
        seed: of the folds.
        progress: shows progress and notes; None: nothing is shown.

    Returns:
        The suspects, the worst first.

    Raises:
        EdgeError: the dataset, the weights or the folder is not usable.
    """
    from converters.dataset import set_aside
    from converters.dataset.intake import list_images
    from converters.tasks.classify.suspects import suspects_in

    place = Path(dataset)
    if move is not None:
        set_aside.check_folder(Path(move), place)
    with TemporaryDirectory(prefix="edge-") as work:
        listing = list_images(place, Path(work))
        shown = progress or SilentProgress()
        suspects = suspects_in(listing, weights, seed, Path(work), shown)[:worst]
    if move is not None and suspects:
        paths = {image.name: image.path for image in listing.images}
        images = [set_aside.MovedImage(row.file, paths[row.file]) for row in suspects]
        set_aside.set_aside(images, Path(move), place)
    return suspects


def bring_back(folder: PathLike) -> int:
    """Move back what :func:`find_suspects` moved to ``folder``; return the number of images.

    Raises:
        EdgeError: nothing was moved there, or another file has taken an image's place.
    """
    from converters.dataset import set_aside

    return set_aside.bring_back(Path(folder))


def check_edgetpu(model: PathLike) -> "EdgeTpuPrediction":
    """Predict which operations of a model run on the Edge TPU, like ``edge check``.

    Args:
        model: a .tflite file, or a folder that :func:`convert` or :func:`compress` wrote.

    Raises:
        ModelError: no TensorFlow Lite model.
    """
    from converters.edgetpu.prediction import check
    from edge.modelfile import tflite
    from edge.registry import local_model

    path = local_model(Path(model))
    return check(tflite.read_file(path), str(path))


def compile_edgetpu(
    model: PathLike,
    out: PathLike | None = None,
    *,
    docker: bool = False,
    search_delegate: bool = False,
    timeout: float = 180.0,
    progress: Progress | None = None,
) -> "CompiledModel":
    """Compile a .tflite file for the Edge TPU with Google's compiler, like ``edge compile``.

    The result keeps the labels and metadata. It is written if at least one operation runs on the
    Edge TPU.

    Args:
        model: the file, or a folder that :func:`convert` or :func:`compress` wrote.
        out: the compiled file, or an existing folder for it; None: next to ``model``.
        docker: run the compiler in a Docker image.
        search_delegate: if compiling fails, leave more operations to the CPU until it succeeds.
        timeout: time limit in seconds.
        progress: shows progress and notes on the labels; None: nothing is shown.

    Raises:
        EdgeError: the model or the output is not usable, there is no compiler, or it failed.
    """
    from converters.edgetpu import compiler
    from edge.registry import local_model

    file = local_model(Path(model))
    path = compiled_path(file, None if out is None else Path(out))
    content, notes = compiler.read_model(file)
    shown = progress or SilentProgress()
    for note in notes:
        shown.say(f"note: {note}")
    with shown.working("compiling for the Edge TPU"):
        compiled = compiler.compile_bytes(
            content, str(file), docker=docker, search_delegate=search_delegate, timeout=timeout
        )
    if compiled.status != "none":
        write_atomic(path, compiled.content)
    return compiled


def compiled_path(model: Path, out: Path | None) -> Path:
    """Return the path of the compiled file; ``out`` is a file or an existing folder.

    Raises:
        UsageError: it is the model itself.
        OutputError: its folder does not exist.
    """
    name = f"{model.stem}_edgetpu.tflite"
    path = model.with_name(name) if out is None else out / name if out.is_dir() else out
    if path.resolve() == model.resolve():
        raise UsageError(
            "an output file other than MODEL",
            str(model),
            "choose another with -o",
            code="output-path-conflict",
        )
    if not path.parent.is_dir():
        raise OutputError(
            "an existing folder for the result",
            f"none at {path.parent}",
            "create it, or choose another",
            code="output-folder-not-found",
        )
    return path


def _plan(
    recipes: Sequence[PathLike],
    board: str | None,
    target: str | None,
    max_latency: float | None,
    max_size: float | None,
    minimums: Mapping[str, float | None],
    precision: float | None,
    max_drop: float,
) -> "CompressionPlan":
    from boards import profile
    from converters.selection.plan import make_plan
    from converters.selection.select import Limits

    check_list("recipes", recipes)
    known = None if board is None else profile.load(board)
    limits = Limits(
        target=target or ("cpu" if known is None else known.run.delegate),
        max_latency_ms=max_latency,
        max_size_kb=max_size,
        **_minimum(minimums),
    )
    return make_plan([str(recipe) for recipe in recipes], limits, precision, max_drop, known)


def _minimum(minimums: Mapping[str, float | None]) -> dict[str, Any]:
    """Return the limit for the one minimum that is given, with the command's option for it."""
    from converters.tasks import TASKS

    given = {
        f"--{name.replace('_', '-')}": value
        for name, value in minimums.items()
        if value is not None
    }
    known = [entry.minimum for entry in TASKS.values()]
    unknown = next((option for option in given if option not in known), None)
    if unknown is not None or len(given) > 1:
        raise UsageError(
            f"one of {', '.join(known)}",
            unknown or " and ".join(given),
            did_you_mean(unknown or "", known, f"use {known[0]} 0.9"),
            code="conflicting-options" if unknown is None else "unknown-option-value",
        )
    return next(({"min_quality": v, "min_option": option} for option, v in given.items()), {})


def _call(function: Callable[..., Any], *paths: PathLike) -> str:
    arguments = ", ".join(repr(str(path)) for path in paths)
    return f"converters.{function.__name__}({arguments}, ...)"
