"""Names of training, validation and test subsets, as people call their folders and columns."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_EVALUATION = "evaluation"
"""What "eval" means depends on the other subsets: validation, or test where there is one."""

_ENGLISH = {
    "train": "train training trainings trn trainval",
    "validation": "val valid validate validation validating dev devel development",
    "test": "test tests testing tst holdout heldout pred predict prediction predictions",
    _EVALUATION: "eval evaluation evaluate",
}
_OTHERS = {
    "train": "entrenamiento treino treinamento entrainement apprentissage addestramento обучение "
    "обучающая 训练 訓練 学習 훈련 학습",
    "validation": "validacion validacao validierung validazione convalida валидация валидационная "
    "验证 驗證 検証 검증",
    "test": "prueba pruebas teste testes тест тестовая 测试 測試 テスト 테스트",
}
"""In Spanish, Portuguese, French, German, Italian, Russian, Chinese, Japanese and Korean."""


def _plain(text: str) -> str:
    """Return a text in lower case and without accents."""
    letters = unicodedata.normalize("NFKD", text)
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", kept).lower()


_WORDS = {
    _plain(word): subset
    for words_of in (_ENGLISH, _OTHERS)
    for subset, words in words_of.items()
    for word in words.split()
}
_AMBIGUOUS = frozenset({
    "train", "training", "valid", "dev",
    *(_plain(word) for words in _OTHERS.values() for word in words.split()),
})  # fmt: skip
_FILLERS = frozenset(_plain(word) for word in (
    "set", "sets", "dataset", "data", "image", "images", "img", "imgs", "photo", "photos",
    "picture", "pictures", "pic", "pics", "folder", "dir", "split", "subset", "sample", "samples",
    "file", "files", "class", "classes", "aug", "augmented", "resized", "cropped", "original",
    "final", "new", "raw", "full", "public", "private",
    "datos", "imagenes", "dados", "imagens", "donnees", "dati", "daten", "bilder", "выборка",
    "данные", "集", "数据", "數據", "数据集", "數據集", "图片", "图像", "データ", "画像", "用",
    "用データ", "用画像", "데이터", "이미지",
))  # fmt: skip
"""Words beside the subset's that say nothing, as in training_set or train_images."""

EXAMPLES = ("train", "training", "val", "valid", "validation", "test", "testing")
"""The usual names, for suggestions."""


@dataclass(frozen=True, slots=True)
class SplitName:
    """A name with exactly one word for a subset.

    ``subset``: "train", "validation", "test" or "evaluation"; ``rest``: its other words without
    those that say nothing, such as "seg" of seg_train; ``ambiguous``: it is a word that names
    classes as well, as of trains, or of valid and invalid tickets.
    """

    subset: str
    rest: tuple[str, ...]
    ambiguous: bool


def parse(name: str) -> SplitName | None:
    """Return what a name says about a subset, or None.

    >>> parse("Training Set"), parse("cat")
    (SplitName(subset='train', rest=(), ambiguous=False), None)
    """
    words = _words(name)
    subsets = {_WORDS[word] for word in words if word in _WORDS}
    if len(subsets) != 1:
        return None
    rest = tuple(word for word in words if word not in _WORDS and word not in _FILLERS)
    return SplitName(subsets.pop(), rest, ambiguous=_plain(name.strip()) in _AMBIGUOUS)


def is_filler(name: str) -> bool:
    """Check for a folder's name that says nothing, such as images or data_set."""
    words = _words(name)
    return bool(words) and all(word in _FILLERS for word in words)


def subsets(names: Iterable[str]) -> dict[str, str]:
    """Return "train", "validation" or "test" for each of the names together that mean one.

    >>> subsets(["train_set", "eval", "cats"])
    {'train_set': 'train', 'eval': 'validation'}
    """
    parsed = {name: parsed.subset for name in names if (parsed := parse(name)) is not None}
    evaluation = "test" if "validation" in parsed.values() else "validation"
    return {
        name: evaluation if subset == _EVALUATION else subset for name, subset in parsed.items()
    }


def _words(name: str) -> list[str]:
    spaced = _plain(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).replace("_", " ")
    joined = re.sub(r"\b(hold|held)\W*(out)|\b(train)\W*(val)\b", r"\1\2\3\4", spaced)
    return [part for word in re.findall(r"[^\W\d_]+", joined) for part in _parts(word)]


def _parts(word: str) -> tuple[str, ...]:
    """Divide trainset or testdata into its two words."""
    for first in () if word in _WORDS else _WORDS:
        if word.startswith(first) and word[len(first) :] in _FILLERS:
            return first, word[len(first) :]
    return (word,)
