from converters.report.precision_recall_plot import (
    describe_precision_recall,
    precision_recall_svg,
)

HALF = {"recall": [0.25, 0.5], "precision": [1.0, 0.8]}
NONE = {"recall": [], "precision": []}


def test_each_class_has_a_curve_and_a_name() -> None:
    svg = precision_recall_svg({"<cat>": HALF, "dog": HALF, "cow": NONE})

    assert "&lt;cat&gt;" in svg
    assert "dog" in svg
    assert "cow" not in svg
    assert svg.count("<polyline") - precision_recall_svg({}).count("<polyline") == 4


def test_of_many_classes_only_some_are_named() -> None:
    svg = precision_recall_svg({f"class-{number}": HALF for number in range(20)})

    assert svg.count("class-") == 9


def test_description_has_the_precision_of_each_class() -> None:
    assert "cat 93 %; dog 50 %" in describe_precision_recall(
        {"cat": HALF, "dog": HALF}, {"cat": 0.93, "dog": 0.5}
    )
