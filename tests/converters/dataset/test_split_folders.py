"""Splits and classes in folders as people name and nest them."""

from pathlib import Path

import pytest
from errors import raises_code

from converters.dataset.entries import ImageEntry
from converters.dataset.folders import label_by_folder
from converters.dataset.listing import Listing


def listing(*names: str) -> Listing:
    return label_by_folder("set", "set", [ImageEntry(name, Path(name)) for name in names], [])


def nested(*folders: str) -> list[str]:
    """One image of each of two classes in each folder."""
    return [f"{folder}/{label}/1.jpg" for folder in folders for label in ("cat", "dog")]


def splits(data: Listing) -> dict[str, str | None]:
    """The splits by the top folder of their images."""
    return {source.name.split("/")[0]: source.split for source in data.images}


@pytest.mark.parametrize(
    "folders",
    [
        ("training_set", "test_set"),
        ("Training Set", "Test Set"),
        ("train_images", "test_images"),
        ("train", "holdout"),
        ("TRAIN", "TEST"),
        ("seg_train", "seg_test"),
        ("dogs-train", "dogs-test"),
        ("01_train", "02_test"),
        ("train/train", "test/test"),
        ("training_set/training_set", "test_set/test_set"),
        ("train/images", "test/images"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("Train/train", "Test/test"),
        ("dataset/dataset/train", "dataset/dataset/test"),
        ("set/train/train/train", "set/test/test"),
        ("entrenamiento", "prueba"),
        ("训练集", "测试集"),
    ],
)
def test_training_and_test_images(folders: tuple[str, str]) -> None:
    data = listing(*nested(*folders))
    assert data.classes == ("cat", "dog")
    assert [source.split for source in data.images] == [
        "test" if source.name.startswith(folders[1]) else "train" for source in data.images
    ]


@pytest.mark.parametrize(
    ("folders", "meaning"),
    [
        (("train", "dev"), ("train", "validation")),
        (("train", "eval"), ("train", "validation")),
        (("train", "dev", "test"), ("train", "validation", "test")),
        (("train", "val", "eval"), ("train", "validation", "test")),
        (("training", "validation", "holdout"), ("train", "validation", "test")),
        (("train1", "train2", "test"), ("train", "train", "test")),
        (("train", "train_augmented", "valid"), ("train", "train", "validation")),
    ],
)
def test_other_splits(folders: tuple[str, ...], meaning: tuple[str, ...]) -> None:
    data = listing(*nested(*folders))
    assert data.classes == ("cat", "dog")
    assert splits(data) == dict(zip(folders, meaning, strict=True))


@pytest.mark.parametrize(
    "unlabeled",
    [
        "test/1.jpg",
        "test/test/1.jpg",
        "test/images/1.jpg",
        "test/unknown/1.jpg",
        "test1/1.jpg",
        "seg_pred/1.jpg",
        "seg_pred/seg_pred/1.jpg",
        "test-multiple_fruits/1.jpg",
    ],
)
def test_images_without_a_class_are_left_out(unlabeled: str) -> None:
    first = "seg_train" if unlabeled.startswith("seg") else "train"
    data = listing(*nested(first), unlabeled, unlabeled.replace("1.jpg", "2.jpg"))
    assert data.classes == ("cat", "dog")
    assert splits(data) == {first: "train"}
    assert data.ignored == (unlabeled, unlabeled.replace("1.jpg", "2.jpg"))


def test_each_class_may_have_its_own_splits() -> None:
    data = listing(
        "set/cat/train/1.jpg", "set/cat/test/2.jpg", "set/dog/train/a/3.jpg", "set/dog/val/4.jpg"
    )  # fmt: skip
    assert [(source.label, source.split) for source in data.images] == [
        ("cat", "test"),
        ("cat", "train"),
        ("dog", "train"),
        ("dog", "validation"),
    ]


def test_a_training_folder_alone_is_no_class() -> None:
    for loose in ([], ["train/3.jpg"], ["readme.jpg"]):
        data = listing(*nested("train"), *loose)
        assert (data.classes, splits(data)) == (("cat", "dog"), {"train": None})


def test_loose_images_beside_splits_are_left_out() -> None:
    data = listing(*nested("dataset/dataset/train", "dataset/dataset/test"), "dataset/cover.jpg")
    assert data.classes == ("cat", "dog")
    assert {source.split for source in data.images} == {"train", "test"}
    assert data.ignored == ("dataset/cover.jpg",)


def test_a_class_is_spelled_as_in_the_training_images() -> None:
    names = ["train/Cat/1.jpg", "train/Red Apple/1.jpg", "test/cat/1.jpg", "test/red apple/1.jpg",
             "val/CAT/1.jpg"]  # fmt: skip
    assert listing(*names).classes == ("Cat", "Red Apple")


def test_classes_that_differ_in_case_only_stay_apart() -> None:
    names = [f"{split}/{label}/1.jpg" for split in ("train", "test") for label in ("a", "A", "b")]
    assert listing(*names).classes == ("A", "a", "b")


@pytest.mark.parametrize(
    "classes",
    [
        ("train", "bus"),
        ("valid", "invalid"),
        ("train station", "test tube"),
        ("training shoes", "boots"),
        ("contest", "latest"),
        ("cat_images", "dog_images"),
        ("2023", "2024"),
        ("学習", "睡眠"),  # studying and sleeping
    ],
)
def test_classes_that_sound_like_splits(classes: tuple[str, str]) -> None:
    data = listing(*(f"{label}/{number}.jpg" for label in classes for number in (1, 2)))
    assert data.classes == tuple(sorted(classes))
    assert {source.split for source in data.images} == {None}


@pytest.mark.parametrize(
    ("names", "fix"),
    [
        (["training_set/1.jpg", "cat/1.jpg"], "training_set/"),
        (["test/1.jpg", "cat/1.jpg", "dog/1.jpg"], "rename it if it is a class"),
        ([*nested("train"), "cat/1.jpg"], "train/"),
        ([*nested("train", "test"), "extra/a/1.jpg"], "extra/"),
        ([*nested("Training Set"), "bird/1.jpg"], "Training Set/"),
        (["cat_train/1.jpg", "cat_test/1.jpg", "dog_train/1.jpg", "dog_test/1.jpg"],
         "train/CLASS/"),
    ],
)  # fmt: skip
def test_in_doubt_it_is_an_error(names: list[str], fix: str) -> None:
    with raises_code("class-and-split-folders-mixed", fix=fix):
        listing(*names)


@pytest.mark.parametrize("names", [["train/1.jpg", "test/2.jpg"], ["training_set/1.jpg"],
                                   ["train/images/1.jpg", "valid/images/1.jpg"]])  # fmt: skip
def test_splits_without_class_folders(names: list[str]) -> None:
    with raises_code("class-folders-missing"):
        listing(*names)
