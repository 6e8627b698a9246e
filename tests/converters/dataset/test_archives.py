"""Zips and tars made on any system give the classes that their maker had."""

import io
import shutil
import tarfile
import unicodedata
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import raises_code
from labeled_images import by_name, write_tree

from converters.dataset import archives
from converters.dataset.intake import list_boxes, list_images, open_dataset
from converters.dataset.listing import Listing

JPEG = cv2.imencode(".jpg", np.full((4, 4, 3), 9, np.uint8))[1].tobytes()
CLASSES = ("1 apple", "007", "cat, domestic", "Käse \"fein\"", "crème brûlée", "猫", "🐶 dog",
           "it's", "a=b", "#1", "-x", "50 %", "Ørsted")  # fmt: skip


class RawInfo(zipfile.ZipInfo):
    """A member of a zip whose name is written as the bytes given."""

    raw = b""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802
        return self.raw, 0


def write_zip(path: Path, names: list[bytes], extra: dict[bytes, bytes] | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for number, name in enumerate(names):
            info = RawInfo(f"{number}")
            info.raw = name
            info.extra = (extra or {}).get(name, b"")
            opened.writestr(info, JPEG)
    return path


def write_tar(path: Path, names: list[str]) -> Path:
    kind = path.suffix.removeprefix(".")
    with tarfile.open(path, f"w:{ {'tgz': 'gz', 'tar': ''}.get(kind, kind) }") as opened:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 0 if name.endswith("/") else len(JPEG)
            member.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            opened.addfile(member, io.BytesIO(JPEG))
    return path


def read(archive: Path) -> Listing:
    return list_images(archive, archive.parent / "work")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("flag", [True, False])
def test_names_in_utf8_with_and_without_its_flag(tmp_path: Path, form: str, flag: bool) -> None:
    names = [unicodedata.normalize(form, f"photos/{label}/1.jpg") for label in CLASSES]
    path = tmp_path / "photos.zip"
    if flag:
        with zipfile.ZipFile(path, "w") as opened:
            for name in names:
                opened.writestr(name, JPEG)
    else:  # the archives of macOS, and of Info-ZIP before version 3
        write_zip(path, [name.encode() for name in names])
    assert read(path).classes == tuple(sorted(CLASSES))


@pytest.mark.parametrize("separator", ["/", "\\"])
def test_names_in_the_code_pages_of_windows(tmp_path: Path, separator: str) -> None:
    for page, labels in (("cp437", ("Käse", "Crème")), ("cp850", ("Ørsted", "Açúcar", "São"))):
        names = [separator.join(("photos", label, "1.jpg")).encode(page) for label in labels]
        assert read(write_zip(tmp_path / "a.zip", names)).classes == tuple(sorted(labels))


def test_the_unicode_field_of_info_zip(tmp_path: Path) -> None:
    raw = b"photos/?????/1.jpg"
    name = "photos/груша/1.jpg".encode()
    field = b"\x01" + zlib.crc32(raw).to_bytes(4, "little") + name
    extra = b"up" + len(field).to_bytes(2, "little") + field
    assert read(
        write_zip(tmp_path / "a.zip", [raw, b"photos/cat/1.jpg"], {raw: extra})
    ).classes == (
        "cat",
        "груша",
    )


@pytest.mark.parametrize("suffix", ["tar", "tgz", "bz2", "xz"])
def test_tar(tmp_path: Path, suffix: str) -> None:
    names = [f"./photos/{label}/{number}.jpg" for label in CLASSES for number in range(2)]
    path = write_tar(tmp_path / f"photos.{suffix}", [*names, "photos/._x.jpg"])
    listing = read(path)
    assert (listing.name, listing.classes) == ("photos", tuple(sorted(CLASSES)))
    assert listing.ignored == ()
    assert all(cv2.imread(str(source.path)) is not None for source in listing.images)


def test_an_archive_is_known_by_its_content(tmp_path: Path) -> None:
    write_tar(tmp_path / "photos.tar", ["cat/1.jpg", "dog/1.jpg"]).rename(tmp_path / "photos")
    assert read(tmp_path / "photos").classes == ("cat", "dog")


@pytest.mark.parametrize("name", ["../evil.jpg", "/evil.jpg", "cat/../../evil.jpg"])
def test_a_tar_with_paths_that_point_outside(tmp_path: Path, name: str) -> None:
    with raises_code("archive-unsafe-path"):
        read(write_tar(tmp_path / "a.tar", ["cat/1.jpg", name]))
    assert not list(tmp_path.rglob("evil*"))


def test_links_and_devices_in_a_tar_are_not_followed(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", ["cat/1.jpg", "dog/1.jpg"])
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE)
    with tarfile.open(path, "a") as opened:
        for number, kind in enumerate(kinds):
            member = tarfile.TarInfo(f"cat/special{number}.jpg")
            member.type, member.linkname = kind, "/etc/passwd"
            opened.addfile(member)
    assert read(path).ignored == tuple(f"cat/special{number}.jpg" for number in range(4))


@pytest.mark.parametrize("damage", ["cut", "header", "no tar"])
def test_a_damaged_tar(tmp_path: Path, damage: str) -> None:
    path = write_tar(tmp_path / "a.tgz", [f"cat/{number}.jpg" for number in range(9)])
    data = path.read_bytes()
    path.write_bytes({"cut": data[: len(data) // 2], "header": b"x" * 20 + data[20:],
                      "no tar": b"nothing"}[damage])  # fmt: skip
    with raises_code("archive-unreadable", found=str(path)):
        read(path)


def test_a_tar_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "RATIO_FROM", 1 << 16)
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as opened:
        member = tarfile.TarInfo("cat/1.bmp")
        member.size = 1 << 20
        opened.addfile(member, io.BytesIO(bytes(member.size)))
    with raises_code("archive-too-large"):
        read(tmp_path / "a.tgz")
    assert not list((tmp_path / "work").rglob("*.bmp"))


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_empty_class_in_an_archive(tmp_path: Path, kind: str) -> None:
    names = ["set/cat/1.jpg", "set/dog/1.jpg", "set/bird/", "set/cat/none/", "set/dog/"]
    path = tmp_path / f"a.{kind}"
    if kind == "tar":
        write_tar(path, names)
    else:
        with zipfile.ZipFile(path, "w") as opened:
            for name in names:
                opened.writestr(name, b"" if name.endswith("/") else JPEG)
    with raises_code("class-without-images", found="set/bird/"):
        read(path)


def test_a_class_of_another_format_in_an_archive(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", [b"cat/1.jpg", b"dog/1.jpg"])
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr("lemon/1.heic", b"\0\0\0\x18ftypheic" + bytes(50))
        opened.writestr("dog/2.heic", JPEG)
    with raises_code("class-format-unsupported", found="'lemon'", fix="unpack"):
        read(path)


def test_systems_files_in_an_archive_are_left_out(tmp_path: Path) -> None:
    names = ["cat/1.jpg", "dog/1.jpg", "@eaDir/x/1.jpg", "cat/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg",
             "__MACOSX/cat/._1.jpg", "#recycle/1.jpg", "Thumbs.db", ".DS_Store"]  # fmt: skip
    for path in (write_zip(tmp_path / "a.zip", [name.encode() for name in names]),
                 write_tar(tmp_path / "a.tar", names)):  # fmt: skip
        listing = read(path)
        assert (listing.classes, len(listing.images)) == (("cat", "dog"), 2)
        assert listing.ignored == ()


def test_other_archives_are_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "photos.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    with raises_code("dataset-format-unknown", fix="unpack it"):
        read(tmp_path / "photos.7z")
    (tmp_path / "folder").mkdir()
    write_zip(tmp_path / "folder" / "photos.zip", [b"cat/1.jpg", b"dog/1.jpg"])
    with raises_code("no-images", fix="photos.zip"):
        read(tmp_path / "folder")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_boxes_in_an_archive(tmp_path: Path, kind: str) -> None:
    files = {
        "set/images/a.jpg": (40, 30), "set/labels/a.txt": "1 0.5 0.5 0.25 0.5\n",
        "set/data.yaml": "names: [cat, dog]\n",
    }  # fmt: skip
    write_tree(tmp_path / "tree", files)
    packed = shutil.make_archive(str(tmp_path / "boxes"), kind, tmp_path / "tree")
    work = tmp_path / "work"
    listing = list_boxes(open_dataset(Path(packed), work))
    assert by_name(listing) == {"set/images/a.jpg": [("dog", [15, 7.5, 25, 22.5])]}
    assert listing.name == "boxes"
    assert sorted(path.name for path in work.rglob("*") if path.is_file()) == [
        "000000.jpg", "labels-000000", "labels-000001",
    ]  # fmt: skip
