"""Real data sets of boxes and masks are read whole, with their own splits."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from labeled_images import boxes_in, masks_in, splits

from converters.dataset.box_audit import audit_boxes
from converters.dataset.mask_audit import audit_masks
from converters.progress import SilentProgress

pytestmark = pytest.mark.realdata


@pytest.mark.parametrize(
    ("name", "images", "boxes", "given"),
    [("det_bccd", 120, {"RBC": 1353, "WBC": 124, "Platelets": 122}, {None: 120}),
     ("det_bccd_voc", 364, {"Platelets": 361, "RBC": 4153, "WBC": 372},
      {"train": 205, "validation": 87, "test": 72}),
     ("det_cards", 363, {"ace": 118, "jack": 113, "king": 118, "nine": 115, "queen": 106,
                         "ten": 100}, {"train": 296, "test": 67}),
     ("det_fruit3", 23, {"apple": 9, "banana": 13, "orange": 11}, {None: 23})],
)  # fmt: skip
def test_boxes(
    test_data: Path, name: str, images: int, boxes: dict[str, int], given: dict[str | None, int]
) -> None:
    listing = boxes_in(test_data / "datasets" / name)
    result = audit_boxes(listing, (320, 320))
    assert len(result.listing.images) == images
    assert result.counts == boxes
    assert Counter(splits(listing).values()) == given
    assert "images-missing" not in {each.kind for each in result.findings}


def test_the_same_pictures_have_the_same_boxes_in_both_formats(test_data: Path) -> None:
    whole = boxes_in(test_data / "datasets/det_bccd_voc")
    part = boxes_in(test_data / "datasets/det_bccd")
    by_file = {image.path.name: image for image in whole.images}
    apart = []
    for image in part.images:
        other = by_file[image.path.name]
        scale = np.divide(image.size, other.size)[[0, 1, 0, 1]]
        if len(image.boxes) == len(other.boxes):
            own, theirs = (
                each[np.lexsort(each.T.round(1))] for each in (image.boxes, other.boxes * scale)
            )
            apart.append(float(np.abs(own - theirs).max()))
    assert len(apart) > 100
    assert np.median(apart) < 0.5


@pytest.mark.parametrize(
    ("name", "images", "share"), [("seg_people", 290, 0.26), ("seg_cookie", 63, 0.016)]
)
def test_masks(test_data: Path, name: str, images: int, share: float) -> None:
    result = audit_masks(masks_in(test_data / "datasets" / name), SilentProgress())
    assert len(result.listing.images) == images
    assert result.listing.classes == ("background", "foreground")
    assert abs(result.shares["foreground"] - share) < 0.1 * share
    assert not result.findings
