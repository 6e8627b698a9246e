"""The audit of boxes repairs what it can, and says in numbers what will not work."""

from pathlib import Path

import numpy as np
import pytest
from errors import raises_code

from converters.dataset.annotations import BoxedFile, BoxListing
from converters.dataset.box_audit import BoxAudit, audit_boxes

Row = tuple[float, float, float, float, int]


def image(
    rows: list[Row], name: str = "a.jpg", split: str | None = None, ignored: tuple[int, ...] = ()
) -> BoxedFile:
    table = np.array(rows, np.float64).reshape(-1, 5)
    crowd = np.isin(np.arange(len(table)), ignored)
    boxes, labels = table[:, :4].astype(np.float32), table[:, 4].astype(np.int64)
    return BoxedFile(Path(name), name, split, boxes, labels, crowd, (640, 480))


def audit(*images: BoxedFile, size: int = 320) -> BoxAudit:
    return audit_boxes(BoxListing("set", images, ("cat", "dog")), (size, size))


def counts(result: BoxAudit) -> dict[str, int]:
    return {each.kind: each.count for each in result.findings if each.kind.startswith("boxes")}


GOOD = (10, 10, 110, 110, 0)


def test_boxes_beyond_the_image_are_clipped() -> None:
    result = audit(image([GOOD, (-20, 400, 100, 500, 1), (600, 1, 641, 90, 0)]))
    assert result.listing.images[0].boxes.tolist() == [
        [10, 10, 110, 110], [0, 400, 100, 480], [600, 1, 640, 90],
    ]  # fmt: skip
    assert counts(result) == {"boxes-clipped": 1}  # by a pixel is none


def test_boxes_outside_empty_or_repeated_are_removed() -> None:
    rows: list[Row] = [GOOD, (700, 10, 800, 90, 0), (50, 50, 50, 90, 0), (10.2, 9.9, 110, 110, 0),
                       (10, 10, 110, 110, 1), (5, 5, 5.5, 80, 1)]  # fmt: skip
    result = audit(image(rows))
    assert result.listing.images[0].labels.tolist() == [0, 1]
    assert counts(result) == {
        "boxes-outside": 1, "boxes-empty": 2, "boxes-repeated": 1, "boxes-of-two-classes": 2,
    }  # fmt: skip
    assert result.counts == {"cat": 1, "dog": 1}


@pytest.mark.parametrize(
    ("side", "advice"), [(12, "--size 448"), (4, "--size 512, or cut"), (17, None)]
)
def test_tiny_boxes_name_an_input_at_which_they_are_not(side: int, advice: str | None) -> None:
    rows: list[Row] = [(x, 10, x + side, 10 + side * 0.75, 0) for x in range(0, 600, 30)]
    result = audit(image(rows))
    tiny = [each for each in result.findings if each.kind == "boxes-tiny"]
    assert [each.count for each in tiny] == ([] if advice is None else [20])
    assert advice is None or advice in tiny[0].sentence


def test_the_advised_input_is_enough() -> None:
    rows: list[Row] = [(x, 10, x + 12, 19, 0) for x in range(0, 600, 30)]
    assert "boxes-tiny" not in counts(audit(image(rows), size=448))


def test_ignored_boxes_do_not_count() -> None:
    result = audit(image([GOOD, (200, 200, 203, 203, 1)], ignored=(1,)))
    assert result.counts == {"cat": 1, "dog": 0}
    assert "boxes-tiny" not in counts(result)
    assert result.listing.images[0].ignored.tolist() == [False, True]


def test_classes_and_images_without_boxes_are_named() -> None:
    first, second = image([GOOD], split="train"), image([], "b.jpg", "train")
    third = image([(10, 10, 50, 50, 1)], "c.jpg", "test")
    findings = {each.kind: each.names for each in audit(first, second, third).findings}
    assert findings["images-without-boxes"] == ("b.jpg",)
    assert findings["classes-with-few-boxes"] == ("cat", "dog")
    assert findings["classes-not-in-training"] == ("dog",)
    assert len(audit(first, second, third).listing.images) == 3


def test_sentences_begin_with_the_numbers() -> None:
    first, *_ = audit(image([GOOD])).sentences()
    assert first == "1 image with 1 box: cat 1, dog 0."


def test_without_a_usable_box_it_stops() -> None:
    with raises_code("no-boxes", found="1 box"):
        audit(image([(900, 10, 990, 90, 0)]))
