"""Listing of data sets in all supported forms, and errors for others."""

import os
import stat
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import raises_code

from converters.dataset import archives
from converters.dataset.intake import list_images


def save(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((4, 4, 3), 9, np.uint8))
    return path


def names(listing, label=None):
    return [s.name for s in listing.images if label in (None, s.label)]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("cat/1.jpg", "cat/deep/er/2.JPEG", "dog/3.png", "dog/4.bmp", "dog/5.webp"):
        save(tmp_path / "photos" / name)
    return tmp_path / "photos"


def latin(name: str) -> str:
    """Return a file name encoded in Latin-1, as old systems wrote it."""
    return os.fsdecode(name.encode("latin-1"))


def zip_of(folder: Path, target: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(target, "w") as opened:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                opened.write(path, prefix + path.relative_to(folder).as_posix())
    return target


def test_class_folders(photos: Path, tmp_path: Path) -> None:
    listing = list_images(photos, tmp_path)
    assert (listing.name, listing.classes) == ("photos", ("cat", "dog"))
    assert names(listing, "cat") == ["cat/1.jpg", "cat/deep/er/2.JPEG"]
    assert {s.split for s in listing.images} == {None}
    assert all(s.path.is_file() for s in listing.images)


def test_hidden_files_are_skipped_and_others_reported(photos: Path, tmp_path: Path) -> None:
    save(photos / ".thumbs" / "1.jpg")
    save(photos / "cat" / ".hidden.jpg")
    save(photos / "loose.jpg")
    (photos / "notes.txt").write_text("x")
    (photos / "cat" / "none").mkdir()
    listing = list_images(photos, tmp_path)
    assert len(listing.images) == 5
    assert listing.ignored == ("cat/none/", "loose.jpg", "notes.txt")


def test_one_folder_around_the_classes(photos: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    photos.rename(outer / "photos")
    (outer / "README.md").write_text("x")
    assert list_images(outer, tmp_path).classes == ("cat", "dog")


def test_a_loop_of_links_ends(photos: Path, tmp_path: Path) -> None:
    (photos / "cat" / "again").symlink_to(photos, target_is_directory=True)
    assert len(list_images(photos, tmp_path).images) == 5


@pytest.mark.parametrize("words", [("train", "val", "test"), ("Training", "valid", "testing")])
def test_split_folders(tmp_path: Path, words: tuple[str, ...]) -> None:
    for word in words:
        for label in ("cat", "dog"):
            save(tmp_path / "set" / word / label / "1.jpg")
    listing = list_images(tmp_path / "set", tmp_path)
    assert listing.classes == ("cat", "dog")
    assert sorted({s.split for s in listing.images}) == ["test", "train", "validation"]


def test_validation_is_optional(tmp_path: Path) -> None:
    for name in ("train/cat/1.jpg", "train/dog/1.jpg", "test/cat/2.jpg", "test/dog/2.jpg"):
        save(tmp_path / "set" / name)
    assert {s.split for s in list_images(tmp_path / "set", tmp_path).images} == {"train", "test"}


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ("train/1.jpg", "bus/2.jpg"):
        save(tmp_path / "vehicles" / name)
    assert list_images(tmp_path / "vehicles", tmp_path).classes == ("bus", "train")


@pytest.mark.parametrize("prefix", ["", "photos/", "a/b/photos/"])
def test_zip(photos: Path, tmp_path: Path, prefix: str) -> None:
    save(photos / "__MACOSX" / "cat" / "._1.jpg")
    archive = zip_of(photos, tmp_path / "My photos.zip", prefix)
    listing = list_images(archive, tmp_path / "work")
    assert (listing.name, listing.classes) == ("My photos", ("cat", "dog"))
    assert len(listing.images) == 5
    assert all(cv2.imread(str(s.path)) is not None for s in listing.images)


def test_teachable_machine_project(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "project.tm", "w") as opened:
        opened.writestr("manifest.json", "{}")
        for name in ("Class 1-!-0.jpg", "Class 1-!-1.jpg", "red cup-!-0.jpg"):
            opened.writestr(name, b"x")
    listing = list_images(tmp_path / "project.tm", tmp_path)
    assert listing.classes == ("Class 1", "red cup")
    assert len(listing.images) == 3


@pytest.mark.parametrize("name", ["../evil.jpg", "cat/../../evil.jpg", "/evil.jpg", "C:/evil.jpg",
                                  "..\\evil.jpg"])  # fmt: skip
def test_zip_with_paths_that_point_outside(photos: Path, tmp_path: Path, name: str) -> None:
    archive = zip_of(photos, tmp_path / "a.zip")
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(name, b"x")
    (tmp_path / "deep" / "work").mkdir(parents=True)
    with raises_code("archive-unsafe-path"):
        list_images(archive, tmp_path / "deep" / "work")
    assert not list(tmp_path.rglob("evil*"))


def test_links_in_a_zip_are_not_followed(photos: Path, tmp_path: Path) -> None:
    archive = zip_of(photos, tmp_path / "a.zip")
    link = zipfile.ZipInfo("cat/link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(link, "/etc/passwd")
    listing = list_images(archive, tmp_path / "work")
    assert listing.ignored == ("cat/link.jpg",)
    assert not any(path.is_symlink() for path in (tmp_path / "work").rglob("*"))


def test_zip_bomb(photos: Path, tmp_path: Path) -> None:
    archive = zip_of(photos, tmp_path / "a.zip")
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("cat/big.bmp", bytes(archives.RATIO_FROM + 1))
    with raises_code("archive-too-large", found="big.bmp"):
        list_images(archive, tmp_path / "work")


@pytest.mark.parametrize(("limit", "value"), [("MAX_FILES", 4), ("MAX_BYTES", 100)])
def test_zip_with_too_much(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(archives, limit, value)
    with raises_code("archive-too-large", found=" unpacked"):
        list_images(zip_of(photos, tmp_path / "a.zip"), tmp_path)


def test_encrypted_zip(photos: Path, tmp_path: Path) -> None:
    archive = zip_of(photos, tmp_path / "a.zip")
    data = bytearray(archive.read_bytes())
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = data.find(mark)
        data[at + offset] |= 1
    archive.write_bytes(data)
    with raises_code("archive-encrypted", found=str(archive)):
        list_images(archive, tmp_path)


@pytest.mark.parametrize("damage", ["cut", "bytes"])
def test_corrupt_zip(photos: Path, tmp_path: Path, damage: str) -> None:
    archive = zip_of(photos, tmp_path / "a.zip")
    data = bytearray(archive.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[60:90] = bytes(30)
    archive.write_bytes(data)
    with raises_code("archive-unreadable", found=str(archive)):
        list_images(archive, tmp_path / "work")


@pytest.mark.parametrize("packer", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_corrupt_packing(tmp_path: Path, packer: int) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", packer) as opened:
        opened.writestr("cat/1.jpg", np.random.default_rng(0).bytes(500))
    data = bytearray(archive.read_bytes())
    data[80:110] = bytes(30)
    archive.write_bytes(data)
    with raises_code("archive-unreadable", found=str(archive)):
        list_images(archive, tmp_path / "work")


@pytest.mark.parametrize("wrong", ["names", "places"])
def test_a_zip_with_wrong_metadata(tmp_path: Path, wrong: str) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("cät/1.jpg", b"x")
    data = bytearray(archive.read_bytes())
    if wrong == "names":
        data = data.replace("ä".encode(), b"\xe4t")  # though they are said to be UTF-8
    else:
        data[-5] += 1  # the directory begins, it says, 256 bytes behind its place
    archive.write_bytes(data)
    with raises_code("archive-unreadable", found=str(archive)):
        list_images(archive, tmp_path / "work")


@pytest.mark.parametrize(
    "text",
    [
        "path,label\ncat/1.jpg,cat\ndog/3.png,dog\n",
        "cat/1.jpg,cat\ndog/3.png,dog\n",
        "\ufeffpath;label\r\ncat/1.jpg;cat\r\n\r\ndog\\3.png;dog\r\n",
        "width,class,file\n4,cat,cat/1.jpg\n4,dog,dog/3.png\n4,dog,dog/3.png\n",
        'Path,Label\n"cat/1.jpg"," cat "\ndog/3.png,dog\n',
    ],
)
def test_csv(photos: Path, tmp_path: Path, text: str) -> None:
    (photos / "list.csv").write_text(text, encoding="utf-8", newline="")
    listing = list_images(photos / "list.csv", tmp_path)
    assert [(s.name, s.label) for s in listing.images] == [
        ("cat/1.jpg", "cat"),
        ("dog/3.png", "dog"),
    ]
    assert all(s.path.is_file() for s in listing.images)


def test_csv_with_split(tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_text("1.jpg,cat,train\n2.jpg,dog,Val\n3.jpg,dog,testing\n")
    assert [s.split for s in list_images(table, tmp_path).images] == [
        "train",
        "validation",
        "test",
    ]


def test_csv_with_other_words_for_the_split(tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_text("1.jpg,cat,Training\n2.heic,dog,dev\n3.jpg,dog,holdout\n4.jpg,cat,eval\n")
    assert [source.split for source in list_images(table, tmp_path).images] == [
        "train",
        "validation",
        "test",
        "test",
    ]


@pytest.mark.parametrize(
    ("text", "code", "fields"),
    [
        ("", "csv-empty", {}),
        ("path,label\n", "csv-empty", {"found": "header"}),
        ("1.jpg,cat\n2.jpg\n", "csv-line-incomplete", {"found": "line 2"}),
        (
            "1.jpg,cat,trian\n2.jpg,dog,test\n",
            "unknown-split",
            {"found": "'trian' on line 1", "fix": "'train'"},
        ),
        ("1.jpg,cat,train\n2.jpg,dog,\n", "csv-split-incomplete", {"found": "line 2"}),
        ("1.jpg,cat,test\n2.jpg,dog,test\n", "train-split-missing", {}),
        ("foto,klasse\n1.jpg,cat\n", "csv-columns-missing", {"found": "'foto,klasse'"}),
        ("1.jpg,cat\n2.jpg,cat\n", "too-few-classes", {"found": "'cat'"}),
    ],
)
def test_csv_that_cannot_be_used(
    tmp_path: Path, text: str, code: str, fields: dict[str, str]
) -> None:
    (tmp_path / "list.csv").write_text(text)
    with raises_code(code, **fields):
        list_images(tmp_path / "list.csv", tmp_path)


def test_csv_in_another_encoding(tmp_path: Path) -> None:
    for data in ("1.jpg,K\u00e4se\n".encode("latin-1"), b"1.jpg,cat\n\x002.jpg,dog\n"):
        (tmp_path / "list.csv").write_bytes(data)
        with raises_code("csv-encoding", fix="UTF-8"):
            list_images(tmp_path / "list.csv", tmp_path)


@pytest.mark.parametrize(
    ("files", "code", "fields"),
    [
        ([], "no-images", {}),
        (["notes.txt"], "no-images", {"found": "notes.txt"}),
        (["1.jpg", "2.jpg"], "class-folders-missing", {"expected": "cat/1.jpg"}),
        (["cat/1.jpg", "cat/2.jpg"], "too-few-classes", {"found": "'cat'"}),
        (
            ["train/a/1.jpg", "test/a/1.jpg", "other/a/1.jpg"],
            "class-and-split-folders-mixed",
            {"fix": "other/"},
        ),
        (["val/a/1.jpg", "test/b/1.jpg"], "train-split-missing", {"found": "test, val"}),
    ],
)
def test_folder_of_unknown_structure(
    tmp_path: Path, files: list[str], code: str, fields: dict[str, str]
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for name in files:
        if name.endswith(".txt"):
            (folder / name).write_text("x")
        else:
            save(folder / name)
    with raises_code(code, **fields) as caught:
        list_images(folder, tmp_path)
    assert "\n" not in str(caught.value)


def test_missing(tmp_path: Path) -> None:
    with raises_code("dataset-not-found", found="nowhere"):
        list_images(tmp_path / "nowhere", tmp_path)


def test_some_other_file(tmp_path: Path) -> None:
    with raises_code("dataset-format-unknown", found="cat.jpg"):
        list_images(save(tmp_path / "cat.jpg"), tmp_path)


def test_names_that_are_not_utf8_are_printable_and_stay_different(tmp_path: Path) -> None:
    folder = tmp_path / latin("Käse")
    for name in ("süß/1.jpg", "säß/2.jpg"):
        (folder / latin(name)).parent.mkdir(parents=True)
        save(tmp_path / "made.jpg").rename(folder / latin(name))
    (folder / latin("süß/leer-ü")).mkdir()
    listing = list_images(folder, tmp_path)
    assert listing.name == r"K\xe4se"
    assert listing.classes == (r"s\xe4\xdf", r"s\xfc\xdf")
    assert names(listing) == [r"s\xe4\xdf/2.jpg", r"s\xfc\xdf/1.jpg"]
    assert listing.ignored == (r"s\xfc\xdf/leer-\xfc/",)
    assert all(source.path.is_file() for source in listing.images)


def test_zip_and_csv_names_are_printable(photos: Path, tmp_path: Path) -> None:
    archive = zip_of(photos, tmp_path / latin("Käse.zip"))
    table = photos / latin("Käse.csv")
    table.write_text("cat/1.jpg,cat\ndog/3.png,dog\n")
    for given in (archive, table):
        assert list_images(given, tmp_path / "work").name == r"K\xe4se"


def test_unreadable_folder(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)  # tests may run as root, who may read everything
    with raises_code("dataset-not-readable", found=str(photos)):
        list_images(photos, tmp_path)
