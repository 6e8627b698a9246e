"""Names of subsets are understood as people write them, and other names are not taken for any."""

import pytest

from converters.dataset.split_names import is_filler, parse, subsets

TRAIN = ("train", "Train", "TRAIN", "training", "training_set", "Training Set", "train_images",
         "TrainingSet", "trainset", "train-data", "train2017", "01_train", "traindata",
         "train_resized", "trainval", "train_val", "train-val", "Entrenamiento", "treino",
         "entraînement", "Trainingsdaten", "trainingsbilder", "обучающая выборка", "训练集",
         "訓練", "学習用データ", "훈련 데이터")  # fmt: skip
VALIDATION = (
    "val",
    "valid",
    "validation",
    "Validation Set",
    "dev",
    "devset",
    "val_images",
    "validación",
    "Validação",
    "Validierung",
    "验证集",
    "検証用",
    "검증",
)
TEST = ("test", "testing", "Test Set", "test_images", "test1", "holdout", "hold-out", "Hold Out",
        "held_out", "pred", "TestSet", "testset", "PublicTest", "PrivateTest", "prueba",
        "Testdaten", "teste", "тестовая", "测试集", "テスト画像", "테스트")  # fmt: skip
OTHERS = ("cat", "trains", "training wheels dog", "contest", "latest", "validator", "device",
          "train test", "set", "", "1", "猫", "evaluator", "medieval", "testigo", "valle",
          "学校", "测量仪")  # fmt: skip


@pytest.mark.parametrize(
    ("subset", "names"), [("train", TRAIN), ("validation", VALIDATION), ("test", TEST)]
)
def test_names_of_subsets(subset: str, names: tuple[str, ...]) -> None:
    parsed = {name: parse(name) for name in names}
    assert {name: (p.subset, p.rest) if p else None for name, p in parsed.items()} == dict.fromkeys(
        names, (subset, ())
    )


def test_other_names_are_no_subsets() -> None:
    rest = {name: p.rest for name in OTHERS if (p := parse(name)) is not None}
    assert rest == {"training wheels dog": ("wheels", "dog")}


def test_words_beside_the_subset_are_kept() -> None:
    name = parse("seg_train")
    assert name is not None
    assert (name.subset, name.rest, name.ambiguous) == ("train", ("seg",), False)


@pytest.mark.parametrize(
    ("names", "meaning"),
    [
        (["train", "eval"], ["train", "validation"]),
        (["train", "val", "eval"], ["train", "validation", "test"]),
        (["train", "dev", "evaluation"], ["train", "validation", "test"]),
        (["train", "eval", "test"], ["train", "validation", "test"]),
    ],
)
def test_eval_depends_on_the_other_names(names: list[str], meaning: list[str]) -> None:
    assert subsets(names) == dict(zip(names, meaning, strict=True))


def test_names_that_say_nothing() -> None:
    assert [name for name in ("images", "Data Set", "data", "photos1", "cat images", "1") if
            is_filler(name)] == ["images", "Data Set", "data", "photos1"]  # fmt: skip
