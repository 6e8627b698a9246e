"""The recipe of a built-in backbone, on a micro teacher and generated images."""

import json
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import cv2
import micro
import numpy as np
import pytest
from click.testing import CliRunner
from errors import error_code, raises_code
from full_disk import full_disk

from converters.backbone import mobilenet_v2
from converters.backbone.pretrain import __main__, images, teacher
from converters.backbone.pretrain.student import Loss, build_student
from converters.backbone.pretrain.train import (
    LICENSE,
    LogIntervals,
    PretrainConfig,
    note_length,
    train,
    write_card,
)
from converters.backbone.weights import pack, unpack
from converters.progress import SilentProgress

T = TypeVar("T")
RECIPE = PretrainConfig(
    alpha=0.35, size=32, crops=48, steps=10, batch_size=16, warm_up=2, boost=1.0, mixup=0.5
)
CLASSES = 7


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip of 24 generated images, two folders deep."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        for index in range(24):
            _, data = cv2.imencode(".png", micro.draw(micro.SHAPES[index % 3], rng))
            archive.writestr(f"a/{index % 3}/{index:02d}.png", data.tobytes())
        archive.writestr("README.txt", "no image")
    return folder / "photos.zip"


@pytest.fixture(scope="module")
def teacher_files(tmp_path_factory: pytest.TempPathFactory, seed: int) -> tuple[Path, Path]:
    """Weights (.h5) and classifier (.npz) of a teacher of alpha 0.35 with random features."""
    from converters import tf

    folder = tmp_path_factory.mktemp("teacher")
    tf.seed_everything(seed + 1)
    model = mobilenet_v2.build(0.35, 96)
    # One pass sets BatchNorm's statistics; without them random features fade to zero.
    for layer in model.layers:
        if isinstance(layer, tf.keras().layers.BatchNormalization):
            layer.momentum = 0.0
    noise = np.random.default_rng(0).uniform(-1, 1, (8, 12, 12, 3)).astype(np.float32)
    model(noise.repeat(8, axis=1).repeat(8, axis=2), training=True)
    model.save_weights(str(folder / "teacher.h5"))
    kernel = np.random.default_rng(2).normal(size=(1280, CLASSES)).astype(np.float16)
    np.savez(folder / "top.npz", kernel=kernel, bias=np.zeros(CLASSES, np.float32))
    return folder / "teacher.h5", folder / "top.npz"


@pytest.fixture(scope="module")
def master(teacher_files: tuple[Path, Path]) -> teacher.TeacherModel:
    return teacher.load_teacher(*teacher_files, alpha=0.35, size=96)


class InterruptAfter(SilentProgress):
    """A user who presses Ctrl-C in the middle of the work called ``what``."""

    def __init__(self, count: int, what: str) -> None:
        self.count, self.what = count, what

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        for done, item in enumerate(items):
            if what == self.what and done == self.count:
                raise KeyboardInterrupt
            yield item


class Count(SilentProgress):
    """Counts how much of the work called ``what`` was done."""

    def __init__(self, what: str) -> None:
        self.count, self.what = 0, what

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        for item in items:
            self.count += what == self.what
            yield item


def losses_in_log(folder: Path) -> list[float]:
    return [json.loads(line)["total"] for line in (folder / "log.jsonl").read_text().splitlines()]


def test_the_student_comes_closer_to_the_teacher(
    master: teacher.TeacherModel, photos: Path, tmp_path: Path, seed: int
) -> None:
    recipe = replace(RECIPE, steps=40, seed=seed)
    source = images.open_source(photos)
    targets = teacher.compute_targets(
        master, [source], recipe.crops, 32, 0, tmp_path, SilentProgress()
    )
    student = build_student(0.35, 32, CLASSES, 1280, targets.grids.shape[-1], 0.95, seed=seed)
    loss = Loss.towards(targets, master.kernel, master.bias, 2.0, 1.0)
    train(student, targets, loss, recipe, tmp_path, SilentProgress(), LogIntervals(log=5))
    losses = losses_in_log(tmp_path)
    assert len(losses) == 8
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.usefixtures("untraced")
def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    master: teacher.TeacherModel, photos: Path, tmp_path: Path, seed: int
) -> None:
    recipe, sources = replace(RECIPE, steps=4, seed=seed), [images.open_source(photos)]
    whole, broken = tmp_path / "whole.npz", tmp_path / "broken.npz"
    __main__.distill(master, sources, recipe, whole, tmp_path / "whole", SilentProgress())
    with pytest.raises(KeyboardInterrupt):
        interruption = InterruptAfter(2, "distilling")
        __main__.distill(master, sources, recipe, broken, tmp_path / "broken", interruption)
    assert not broken.exists()
    rest = Count("distilling")
    card = __main__.distill(master, sources, recipe, broken, tmp_path / "broken", rest, resume=True)
    assert rest.count == recipe.steps - 2
    assert tomllib.loads(broken.with_suffix(".toml").read_text()) == card
    first, other = unpack(whole), unpack(broken)
    assert first.keys() == other.keys()
    for layer, arrays in first.items():
        for a, b in zip(arrays, other[layer], strict=True):
            np.testing.assert_allclose(a, b, rtol=0.02, atol=0.005, err_msg=layer)
    longer = replace(recipe, steps=20)
    with raises_code("resume-settings-mismatch", found="--steps 20"):
        __main__.distill(
            master, sources, longer, broken, tmp_path / "broken", SilentProgress(), resume=True
        )


def test_an_earlier_run_is_not_overwritten(
    master: teacher.TeacherModel, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "work" / "checkpoints").mkdir(parents=True)
    with raises_code("output-exists", fix="--resume"):
        __main__.distill(
            master, [], RECIPE, tmp_path / "out.npz", tmp_path / "work", SilentProgress()
        )


def test_the_teacher_looks_at_each_crop_once(
    master: teacher.TeacherModel, photos: Path, tmp_path: Path
) -> None:
    source, seen = images.open_source(photos), Count("teacher")
    few = teacher.compute_targets(master, [source], 10, 32, 0, tmp_path, seen)
    first = np.array(few.embeddings)
    more = teacher.compute_targets(master, [source], 16, 32, 0, tmp_path, seen)
    assert seen.count == 16
    np.testing.assert_array_equal(more.embeddings[:10], first)
    assert len(np.unique(np.asarray(more.crops).reshape(16, -1), axis=0)) == 16
    other_seed = teacher.compute_targets(master, [source], 10, 32, 1, tmp_path, seen)
    assert seen.count == 26
    assert not np.array_equal(other_seed.embeddings, first)


def test_the_grid_averages_the_teacher_to_the_same_pooled_mean() -> None:
    grid = np.random.default_rng(0).normal(size=(7, 7, 5)).astype(np.float32)
    pooled = teacher.pool_grid(grid, 3)
    assert pooled.shape == (3, 3, 5)
    np.testing.assert_allclose(pooled.mean(axis=(0, 1)), grid.mean(axis=(0, 1)), atol=1e-5)
    corner = (grid[0, 0] + grid[0, 1] + grid[0, 2] / 3) / (7 / 3)
    rows = np.stack([(grid[r, 0] + grid[r, 1] + grid[r, 2] / 3) / (7 / 3) for r in range(3)])
    expected = (rows[0] + rows[1] + rows[2] / 3) / (7 / 3)
    np.testing.assert_allclose(pooled[0, 0], expected, atol=1e-5)
    assert not np.allclose(pooled[0, 0], corner)


def test_crops_are_the_same_for_one_seed_and_stay_inside(photos: Path) -> None:
    source = images.open_source(photos)
    for index in range(30):
        crop = images.random_crop([source], index, seed=3)
        np.testing.assert_array_equal(crop, images.random_crop([source], index, seed=3))
        assert min(crop.shape[:2]) >= 0.7 * images.MIN_CROP


def test_packing_moves_kernels_by_a_two_thousandth_and_batch_norm_not_at_all(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    weights = {
        "conv": [rng.normal(size=(3, 3, 4, 8)).astype(np.float32)],
        "bn": [np.full(8, value, np.float32) for value in (1.1, -0.3, 5.0, 1e-7)],
    }
    pack(weights, tmp_path / "w.npz")
    back = unpack(tmp_path / "w.npz")
    np.testing.assert_allclose(back["conv"][0], weights["conv"][0], rtol=1 / 2000, atol=1e-7)
    for a, b in zip(back["bn"], weights["bn"], strict=True):
        np.testing.assert_array_equal(a, b)
    assert [p.name for p in tmp_path.iterdir()] == ["w.npz"]


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("w.npz", lambda path: pack({"conv": [np.ones((3, 3, 4, 8), np.float32)]}, path)),
        ("w.toml", lambda path: write_card({"licence": LICENSE}, path)),
        ("steps.json", lambda path: note_length(RECIPE, path.parent)),
    ],
)
def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    (tmp_path / name).write_text("earlier")
    with full_disk(), raises_code("output-not-writable", expected=name):
        write(tmp_path / name)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["earlier"]


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04broken"])
def test_damaged_weights_are_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.npz"
    path.write_bytes(content)
    with raises_code("weights-unreadable"):
        unpack(path)


def run(*args: object) -> tuple[int, str]:
    result = CliRunner().invoke(__main__.main, [str(a) for a in args])
    return result.exit_code, result.output


def test_a_missing_zip_is_one_line(teacher_files: tuple[Path, Path], tmp_path: Path) -> None:
    weights, top = teacher_files
    code, output = run(
        "--teacher", weights, "--teacher-top", top, "--images", tmp_path / "none.zip",
        "-o", tmp_path / "out.npz",
    )  # fmt: skip
    assert code == 2
    assert error_code(output) == "dataset-not-found"
    assert "none.zip" in output
    assert "--images" in output
    assert len(output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("broken", "word", "error"),
    [
        ("weights", "--teacher", "weights-layout-mismatch"),
        ("top", "--teacher-top", "weights-unreadable"),
        ("alpha", "alpha", "weights-layout-mismatch"),
    ],
)
def test_a_wrong_teacher_is_one_line(
    teacher_files: tuple[Path, Path],
    photos: Path,
    tmp_path: Path,
    broken: str,
    word: str,
    error: str,
) -> None:
    weights, top = teacher_files
    wrong = tmp_path / "wrong"
    wrong.write_text("not weights")
    code, output = run(
        "--teacher", wrong if broken == "weights" else weights,
        "--teacher-top", wrong if broken == "top" else top,
        "--teacher-alpha", 0.5 if broken == "alpha" else 0.35,
        "--teacher-size", 96, "--images", photos, "-o", tmp_path / "out.npz",
    )  # fmt: skip
    assert code == 2
    assert error_code(output) == error
    assert word in output
    assert len(output.strip().splitlines()) == 1
    assert not (tmp_path / "out.npz").exists()


def test_sources_without_images_are_errors(tmp_path: Path) -> None:
    with raises_code("no-images", found=str(tmp_path)):
        images.open_source(tmp_path)
    (tmp_path / "@eaDir").mkdir()
    (tmp_path / "@eaDir" / "1.jpg").write_bytes(b"")
    with raises_code("no-images", found=str(tmp_path)):
        images.open_source(tmp_path)
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"no zip")
    with raises_code("archive-unreadable", found="bad.zip"):
        images.open_source(bad)
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    with raises_code("image-undecodable", found="0 of"):
        images.random_crop([images.open_source(tmp_path)], 0, seed=0)
