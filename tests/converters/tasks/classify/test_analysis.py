"""The analysis of classes: on the page, in report.json, and what it leaves out."""

from dataclasses import replace

import numpy as np
from conversion import Conversion, render
from report_page import Page

from converters.dataset.audit import Dataset
from converters.report.build import build_report
from converters.report.model import Report
from converters.tasks.classify import suspects as suspect_search
from converters.tasks.classify.suspects import EmbeddedImages, find_suspects
from converters.training.analysis import ClassGain, CurvePoint, Suspect, TrainingAnalysis


def test_suspects_are_shown_with_both_classes_and_stay_in_the_report() -> None:
    stages = Conversion().stages()
    dataset = stages["training"].dataset
    given, likely = dataset.classes[:2]
    suspect = Suspect(dataset.images[0].name, given, likely, 0.98)
    analysis = TrainingAnalysis((suspect,), len(dataset.images), notes=("Something was left out.",))
    stages["training"] = replace(stages["training"], analysis=analysis)
    report = build_report(**stages)
    assert report.analysis is not None
    assert report.analysis.suspects[0].likely == likely
    again = Report.from_json(report.to_json())
    assert again.analysis == report.analysis
    page = Page(render(report, stages))
    assert f"given {given}" in page.text and f"likely {likely}" in page.text
    assert "Something was left out." in page.text


def test_the_page_draws_the_learning_curve_and_says_what_more_photos_bring() -> None:
    stages = Conversion().stages()
    points = tuple(
        CurvePoint(n, measured, 0.8, 0.7, 0.9) for n, measured in ((40.0, 0.79), (80.0, None))
    )
    gains = (ClassGain(stages["training"].dataset.classes[0], 3.2, 1.1, 5.0),)
    analysis = TrainingAnalysis(curve=points, gains=gains, training_accuracy=1.0)
    stages["training"] = replace(stages["training"], analysis=analysis)
    html = render(build_report(**stages), stages)
    assert "40 photos: 79.0" in html and "about +3 points (1 to 5)" in html
    assert html.count("<svg") > Conversion().page().count("<svg")


def test_a_report_without_an_analysis_has_no_section() -> None:
    report = Conversion().report()
    assert report.analysis is None
    assert "Suspect labels" not in Conversion().page()
    record = {key: value for key, value in report.to_dict().items() if key != "analysis"}
    assert Report.from_dict(record) == report  # as earlier versions wrote it


def images_of(dataset: Dataset, groups: np.ndarray) -> EmbeddedImages:
    labels = dataset.labels
    rng = np.random.default_rng(0)
    features = np.eye(3, 8)[labels] + rng.normal(0, 0.1, (len(labels), 8))
    return EmbeddedImages(np.arange(len(labels)), features.astype(np.float32), labels, groups)


def test_a_swapped_label_is_named_by_its_file(shapes: Dataset) -> None:
    images = images_of(shapes, shapes.groups)
    labels = images.labels.copy()
    labels[4] = (labels[4] + 1) % 3
    rows = find_suspects(replace(images, labels=labels), shapes, seed=0)
    assert rows is not None
    worst = rows[0]
    assert worst.file == shapes.images[4].name
    assert worst.given == shapes.classes[labels[4]]
    assert worst.likely == shapes.classes[shapes.labels[4]]


def test_too_few_images_for_folds_are_told_apart(shapes: Dataset) -> None:
    alike = np.where(shapes.labels == 0, 0, np.arange(len(shapes.labels)))
    assert find_suspects(images_of(shapes, alike), shapes, seed=0) is None
    assert find_suspects(images_of(shapes, shapes.groups), shapes, 0, most_work=1) is None


def test_images_that_are_alike_but_labeled_otherwise_are_judged_without_each_other(
    shapes: Dataset,
) -> None:
    pair = (shapes.images[0].name, shapes.images[-1].name)
    audit = replace(shapes.audit, near_conflicts=(pair,))
    groups = suspect_search._look_alikes(replace(shapes, audit=audit))
    assert groups[0] == groups[-1]
    assert len(np.unique(groups)) == len(np.unique(shapes.groups)) - 1
