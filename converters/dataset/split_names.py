"""Names of training, validation and test subsets, as people call their folders and columns."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_EVALUATION = "evaluation"
"""What "eval" means depends on the other subsets: validation, or test where there is one."""

_WORDS = {
    word: subset
    for subset, words in {
        "train": "train training trn trainval",
        "validation": "val valid validate validation validating dev devel development",
        "test": "test tests testing tst holdout heldout pred predict prediction predictions",
        _EVALUATION: "eval evaluation evaluate",
    }.items()
    for word in words.split()
}
_AMBIGUOUS = frozenset({"train", "training", "valid", "dev"})
_FILLERS = frozenset({
    "set", "sets", "dataset", "data", "image", "images", "img", "imgs", "photo", "photos",
    "picture", "pictures", "pic", "pics", "folder", "dir", "split", "subset", "sample", "samples",
    "file", "files", "class", "classes", "aug", "augmented", "resized", "cropped", "original",
    "final", "new", "raw", "full",
})  # fmt: skip
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
    return SplitName(subsets.pop(), rest, ambiguous=name.strip().lower() in _AMBIGUOUS)


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
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    joined = re.sub(r"\b(hold|held)[\W_]*out", r"\1out", spaced.lower().replace("_", " "))
    return [part for word in re.findall(r"[^\W\d_]+", joined) for part in _parts(word)]


def _parts(word: str) -> tuple[str, ...]:
    """Divide trainset or testdata into its two words."""
    for first in () if word in _WORDS else _WORDS:
        if word.startswith(first) and word[len(first) :] in _FILLERS:
            return first, word[len(first) :]
    return (word,)
