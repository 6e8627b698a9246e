"""Audit of generated images."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import raises_code

from converters.dataset import decoding
from converters.dataset.audit import Dataset, LabelAudit, LabelFindings, audit_images
from converters.dataset.class_audit import audit_classes
from converters.dataset.intake import list_images
from converters.dataset.listing import LabeledFile
from converters.dataset.split import split
from converters.progress import SilentProgress
from edge.image import decode_image
from edge.preprocessing import Preprocessing

SIZE = Preprocessing(32, 24)


def scene(seed: int, side: int = 80) -> np.ndarray:
    """Colored blobs on a colored ground, different for each seed: uint8 BGR."""
    rng = np.random.default_rng(seed)
    image = np.full((side, side, 3), rng.integers(0, 255, 3), np.uint8)
    for _ in range(12):
        center = tuple(int(v) for v in rng.integers(0, side, 2))
        color = tuple(int(v) for v in rng.integers(0, 255, 3))
        cv2.circle(image, center, int(rng.integers(4, side // 4)), color, -1)
    return image


def save(path: Path, image: np.ndarray, *options: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image, list(options))
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six distinct images of each of two classes."""
    for number in range(12):
        label = "cat" if number < 6 else "dog"
        save(tmp_path / "photos" / label / f"{number:02d}.png", scene(number))
    return tmp_path / "photos"


def audited(folder: Path, preprocessing: Preprocessing = SIZE) -> Dataset:
    work = folder.parent / "work"
    work.mkdir(exist_ok=True)
    return audit_classes(list_images(folder, work), preprocessing, work, SilentProgress())


def test_a_clean_data_set(photos: Path) -> None:
    data = audited(photos)
    assert data.classes == ("cat", "dog")
    assert data.audit.counts == {"cat": 6, "dog": 6}
    assert data.pixels.shape == (12, 24, 32, 3)
    assert data.labels.tolist() == [0] * 6 + [1] * 6
    assert len(set(data.groups.tolist())) == 12
    for index, image in enumerate(data.images):
        expected = SIZE.resize(decode_image((photos / image.name).read_bytes()))
        assert np.array_equal(data.pixels[index], expected)
    assert data.audit.findings()[0] == "12 images in 2 classes: cat 6, dog 6."


def test_pixels_cannot_be_changed(photos: Path) -> None:
    pixels = audited(photos).pixels
    assert not pixels.flags.writeable
    with pytest.raises(ValueError):
        pixels[0] = 0


def test_many_images_are_kept_in_a_file(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = audited(photos).pixels
    monkeypatch.setattr(decoding, "MAX_IN_MEMORY", 1000)
    pixels = audited(photos).pixels
    assert isinstance(pixels, np.memmap)
    assert np.array_equal(pixels, expected)


def test_broken_files_are_skipped_and_named(photos: Path) -> None:
    (photos / "cat" / "text.jpg").write_text("not an image")
    (photos / "cat" / "00.empty.jpg").write_bytes(b"")
    (photos / "dog" / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(50))
    content = save(photos / "dog" / "10.cut.jpg", scene(50)).read_bytes()
    (photos / "dog" / "10.cut.jpg").write_bytes(content[: len(content) // 2])
    data = audited(photos)
    assert dict(data.audit.broken) == {
        "cat/text.jpg": "not an image",
        "dog/phone.jpg": "HEIC, to be converted first",
        "cat/00.empty.jpg": "empty (0 bytes)",
        "dog/10.cut.jpg": "truncated",
    }
    assert [p.name for p in data.images] == sorted(
        f"{'cat' if n < 6 else 'dog'}/{n:02d}.png" for n in range(12)
    )
    for index, image in enumerate(data.images):  # the gaps were closed
        assert np.array_equal(
            data.pixels[index], SIZE.resize(decode_image((photos / image.name).read_bytes()))
        )
    assert any("4 broken files" in line for line in data.audit.findings())


def test_a_class_of_misnamed_files_is_an_error_with_the_reason(photos: Path) -> None:
    for path in (photos / "dog").iterdir():
        path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(50))
    with raises_code("class-too-small", found="HEIC"):
        audited(photos)


def test_files_of_a_csv_that_are_missing(photos: Path) -> None:
    rows = [f"{p.relative_to(photos)},{p.parent.name}" for p in sorted(photos.rglob("*.png"))]
    (photos / "list.csv").write_text("\n".join(["path,label", *rows, "cat/gone.png,cat"]))
    data = audited(photos / "list.csv")
    assert data.audit.broken == (("cat/gone.png", "cannot be read: No such file or directory"),)


def test_conversions_are_named(photos: Path) -> None:
    gray = cv2.cvtColor(scene(60), cv2.COLOR_BGR2GRAY)
    save(photos / "cat" / "gray.png", gray)
    save(photos / "cat" / "gray.jpg", cv2.cvtColor(scene(61), cv2.COLOR_BGR2GRAY))
    save(photos / "cat" / "alpha.png", np.dstack([scene(62), np.full((80, 80), 128, np.uint8)]))
    save(photos / "cat" / "deep.png", scene(63).astype(np.uint16) * 256)
    data = audited(photos)
    assert data.audit.converted == {
        "16-bit": ("cat/deep.png",),
        "alpha": ("cat/alpha.png",),
        "greyscale": ("cat/gray.jpg", "cat/gray.png"),
    }


def test_exif_rotation_is_applied_and_named(photos: Path) -> None:
    upright = scene(70)
    path = save(photos / "cat" / "turned.jpg", np.rot90(upright), cv2.IMWRITE_JPEG_QUALITY, 100)
    jpeg = path.read_bytes()
    entry = bytes([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0])  # orientation 6: turn clockwise
    tiff = b"MM\0*\0\0\0\x08\0\x01" + entry + bytes(4)
    segment = b"Exif\0\0" + tiff
    header = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big")
    path.write_bytes(jpeg[:2] + header + segment + jpeg[2:])
    data = audited(photos)
    assert data.audit.converted == {"rotated": ("cat/turned.jpg",)}
    index = [p.name for p in data.images].index("cat/turned.jpg")
    expected = SIZE.resize(cv2.cvtColor(upright, cv2.COLOR_BGR2RGB))
    assert np.abs(data.pixels[index].astype(int) - expected).mean() < 6


def test_too_few_usable_images(photos: Path) -> None:
    for number in (6, 7):
        (photos / "dog" / f"{number:02d}.png").write_bytes(b"")
    with raises_code("class-too-small", found="dog/06.png"):
        audited(photos)


def test_small_classes_and_imbalance_give_warnings(photos: Path) -> None:
    for number in range(100, 130):
        save(photos / "cat" / f"{number}.png", scene(number))
    few, imbalance = audited(photos).audit.warnings
    assert "dog (6)" in few and "cat" not in few
    assert "36 images of cat but 6 of dog" in imbalance


def test_duplicates_get_one_group(photos: Path) -> None:
    original = photos / "cat" / "00.png"
    (photos / "cat" / "bytes.png").write_bytes(original.read_bytes())
    save(photos / "cat" / "packed.png", scene(0), cv2.IMWRITE_PNG_COMPRESSION, 0)
    save(photos / "cat" / "coarse.jpg", scene(0), cv2.IMWRITE_JPEG_QUALITY, 30)
    save(photos / "cat" / "cropped.webp", scene(0)[3:-2, 2:-4])
    save(photos / "cat" / "large.bmp", cv2.resize(scene(0), None, fx=2, fy=2))
    data = audited(photos)
    assert [set(group) for group in data.audit.duplicates] == [
        {
            "cat/00.png", "cat/bytes.png", "cat/packed.png", "cat/coarse.jpg",
            "cat/cropped.webp", "cat/large.bmp",
        }
    ]  # fmt: skip
    assert data.audit.across_split == ()
    assert len(set(data.groups.tolist())) == 12


def test_identical_images_with_different_labels_are_excluded(photos: Path) -> None:
    (photos / "dog" / "again.png").write_bytes((photos / "cat" / "00.png").read_bytes())
    data = audited(photos)
    assert data.audit.conflicts == (("cat/00.png", "dog/again.png"),)
    assert data.audit.counts == {"cat": 5, "dog": 6}
    assert not {"cat/00.png", "dog/again.png"} & {p.name for p in data.images}


def test_near_identical_images_with_different_labels_are_reported(photos: Path) -> None:
    save(photos / "dog" / "again.jpg", scene(0), cv2.IMWRITE_JPEG_QUALITY, 60)
    data = audited(photos)
    assert data.audit.near_conflicts == (("cat/00.png", "dog/again.jpg"),)
    assert data.audit.counts == {"cat": 6, "dog": 7}
    assert data.audit.duplicates == ()
    assert any("cat/00.png ~ dog/again.jpg" in line for line in data.audit.findings())


def test_white_images_are_duplicates_only_where_equal(photos: Path) -> None:
    white = np.full((80, 80, 3), 255, np.uint8)
    dotted = white.copy()
    dotted[40, 40] = 250
    save(photos / "cat" / "white1.png", white)
    save(photos / "cat" / "white2.bmp", white)
    save(photos / "cat" / "dotted.png", dotted)
    data = audited(photos, Preprocessing(80, 80))
    assert data.audit.duplicates == (("cat/white1.png", "cat/white2.bmp"),)


def test_images_of_a_few_pixels(photos: Path) -> None:
    for number in range(6):
        save(photos / "cat" / f"tiny{number}.png", scene(number + 200)[:1, : number + 1])
    assert audited(photos).audit.counts == {"cat": 12, "dog": 6}


def test_duplicates_across_the_given_split(tmp_path: Path) -> None:
    for number in range(20):
        subset = "train" if number % 10 < 7 else "test"
        label = "cat" if number < 10 else "dog"
        save(tmp_path / "set" / subset / label / f"{number}.png", scene(number))
    save(tmp_path / "set" / "train" / "cat" / "leak.jpg", scene(8), cv2.IMWRITE_JPEG_QUALITY, 50)
    data = audited(tmp_path / "set")
    assert data.audit.across_split == (("test/cat/8.png", "train/cat/leak.jpg"),)
    subsets = split(data, 0)
    names = [p.name for p in data.images]
    assert names.index("test/cat/8.png") in subsets.test
    leak = names.index("train/cat/leak.jpg")
    assert all(leak not in indices for indices in (subsets.train, subsets.validation, subsets.test))


class AnyAudit(LabelAudit):
    """Images whose classes do not contradict each other, as where an image has several."""

    def class_of(self, file: LabeledFile) -> int:
        return ("cat", "dog").index(file.label)

    def examine(
        self, files: Sequence[LabeledFile], broken: object, conflicts: Sequence[object]
    ) -> LabelFindings:
        assert not conflicts
        notes = tuple(file.name for file in files)
        return LabelFindings({"cup": 3}, "3 cups.", ("Few cups.",), notes)


def test_images_that_do_not_contradict_each_other_stay_together(photos: Path) -> None:
    save(photos / "dog" / "same.png", scene(0))
    slightly = scene(1)
    slightly[:4] = slightly[4:8]
    save(photos / "dog" / "similar.png", slightly)
    listing = list_images(photos, photos.parent)
    data = audit_images(listing, AnyAudit(), SIZE, photos.parent, SilentProgress())
    assert data.audit.conflicts == data.audit.near_conflicts == ()
    names = [image.name for image in data.images]
    for own, other in (("cat/00.png", "dog/same.png"), ("cat/01.png", "dog/similar.png")):
        pair = [names.index(own), names.index(other)]
        assert len(set(data.groups[pair])) == len(set(data.labels[pair])) == 1
    assert data.audit.findings()[0] == "3 cups." and data.audit.findings()[-1] == "Few cups."
    assert list(data.annotations) == names and not data.every_class
