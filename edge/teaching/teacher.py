"""Teacher: learns to classify the images of a folder, and keeps up while they change."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Self

from edge.errors import EdgeError, UsageError, did_you_mean
from edge.files import output_errors, sha256, write_atomic
from edge.frame import BgrImage
from edge.image import as_image, read_content
from edge.interpreter import Array
from edge.modelfile.labels import format_labels
from edge.results import Classification
from edge.tasks.classify.classifier import Classifier
from edge.teaching import lesson
from edge.teaching.assessment import DEFAULT_STRENGTH, Assessment, assess
from edge.teaching.classes import TaughtClasses
from edge.teaching.examples import (
    EXAMPLES_FILE,
    Example,
    Examples,
    StoredExamples,
    read_examples,
    write_examples,
)
from edge.teaching.features import BUILTIN, FeatureExtractor
from edge.teaching.history import ChangeHistory, Undo
from edge.teaching.lesson import Lesson
from edge.teaching.output import (
    LABELS_FILE,
    MODEL_FILE,
    check_output,
    default_output,
    earlier_order,
    write_model,
)
from edge.teaching.photo_folder import PhotoFolder, label_taken
from edge.terminal import count_progress


class Teacher:
    """Learns to classify the images of a folder; see :meth:`open`.

    Images are added and removed in the folder and here together. One thread at a time may call it.

    Attributes:
        photos: The folder of images.
        out: The folder of the model.
        extractor: The backbone.
        lesson: What was learned last, None before.
        history: The changes of images and classes that can be undone.
        strength: C, the inverse of the regularization strength that :meth:`learn` uses.
    """

    def __init__(
        self,
        photos: PhotoFolder,
        out: Path,
        extractor: FeatureExtractor,
        say: Callable[[str], None],
    ) -> None:
        self.photos, self.out, self.extractor = photos, out, extractor
        self.lesson: Lesson | None = None
        self.history = ChangeHistory()
        self._say = say
        self._classes = TaughtClasses()
        self._known: dict[str, Example] = {}
        self.strength = DEFAULT_STRENGTH
        self._classifier: Classifier | None = None

    @classmethod
    def open(
        cls,
        folder: str | Path,
        out: str | Path | None = None,
        *,
        backbone: str | Path = BUILTIN,
        delegate: str = "auto",
        threads: int | None = None,
        say: Callable[[str], None] = print,
    ) -> Self:
        """Open a folder with one folder of images per class, which may not exist yet.

        Images are embedded, unless an earlier run has done it. Classes that were learned before
        and have no folder are kept, by their embeddings in ``out``.

        Args:
            folder: of the images, an ordinary data set.
            out: folder of the model; by default next to ``folder``, named after it.
            backbone: see :meth:`edge.teaching.features.FeatureExtractor.open`.
            delegate: "auto", "cpu" or "edgetpu".
            threads: CPU threads; by default one per core, at most 4.
            say: called with notes, such as on images that cannot be read.

        Raises:
            DatasetError: the folder holds no class folders.
            OutputError: ``out`` holds something else, or overlaps with ``folder``.
            ModelError: the backbone is unusable, or has no embedding, such as a detector.
            DelegateError: no interpreter, or no Edge TPU for a backbone that needs one.
        """
        root = Path(folder)
        target = default_output(root) if out is None else Path(out)
        photos = PhotoFolder(root)
        folders = photos.labels()
        check_output(root, target)
        extractor = FeatureExtractor.open(backbone, delegate=delegate, threads=threads, say=say)
        teacher = cls(photos, target, extractor, say)
        teacher._read(folders)
        return teacher

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of all classes, in order; some may have no images yet."""
        return tuple(self._classes)

    @property
    def counts(self) -> dict[str, int]:
        """Number of examples of each class."""
        return {label: len(examples) for label, examples in self._classes.items()}

    @property
    def examples(self) -> Examples:
        """Embeddings of the classes that have any: a value that does not change any more."""
        return self._classes.examples()

    def names(self, label: str) -> dict[str, str]:
        """Return the SHA-256 of the images of a class by file name, the oldest first.

        An example whose image is gone has its SHA-256 as its name.

        Raises:
            UsageError: there is no such class.
        """
        return {name: example.image for name, example in self._classes[label].items()}

    def images(self, label: str) -> tuple[Path, ...]:
        """Return the image files of a class, the oldest first.

        Raises:
            UsageError: there is no such class.
        """
        folder = self.photos.root / label
        return tuple(folder / name for name in self._classes[label] if (folder / name).is_file())

    def add(self, image: BgrImage | str | Path, label: str) -> Path:
        """Add an image to a class, which is created if there is none; return its file.

        Args:
            image: uint8 BGR [height, width, 3], or the path of an image file, which is copied.
            label: name of the class, and of its folder.

        Raises:
            ImageError: the file cannot be read, or the array is no such image.
            UsageError: the label cannot name a folder.
            OutputError: the image cannot be written.
        """
        if isinstance(image, str | Path):
            return self.add_file(read_content(image), Path(image).name, label)
        embedding = self.extractor.embed(as_image(image))
        return self._take(self.photos.add(image, label), label, embedding)

    def add_file(self, content: bytes, name: str, label: str) -> Path:
        """Add the content of an image file as it is, under a name like ``name``; see :meth:`add`.

        Raises:
            ImageError: it is no image that can be read.
            UsageError, OutputError: see :meth:`add`.
        """
        embedding = self.extractor.embed_file(content, name)
        return self._take(self.photos.add_file(content, name, label), label, embedding)

    def add_class(self, label: str) -> None:
        """Create a class without images.

        Raises:
            UsageError: the label cannot name a folder.
            OutputError: its folder cannot be created.
        """
        self.photos.add_class(label)
        if label not in self._classes:
            self._classes[label] = {}
            self.history.add(f"adding the class {label}", partial(self._remove_class, label))

    def remove(self, label: str, names: Sequence[str]) -> None:
        """Remove images of a class by their file names; they go to the trash of the folder.

        Raises:
            UsageError: there is no such class or image.
            OutputError: they cannot be moved.
        """
        examples = self._classes[label]
        for name in names:
            if name not in examples:
                raise UsageError(
                    f"an image of {label}",
                    f"'{name}'",
                    did_you_mean(name, examples, "list the images again"),
                    code="unknown-image",
                )
        restore = self.photos.remove([self.photos.root / label / name for name in names])
        self._classes[label] = {k: v for k, v in examples.items() if k not in names}
        self.history.add(f"removing {len(names)} of {label}", self._then_refresh(restore, label))

    def forget(self, label: str) -> None:
        """Remove a class; its images go to the trash of the folder.

        Raises:
            UsageError: there is no such class.
            OutputError: they cannot be moved.
        """
        examples = self._classes[label]
        order = self.labels
        restore = self._remove_class(label)

        def undo() -> None:
            restore()
            self._classes[label] = examples
            self._classes.sort(order)

        self.history.add(f"removing the class {label}", undo)

    def rename(self, label: str, new: str) -> None:
        """Rename a class and its folder.

        Raises:
            UsageError: there is no such class, or the new name is unusable or taken.
            OutputError: the folder cannot be renamed.
        """
        _ = self._classes[label]  # there must be one
        if new in self._classes:
            raise label_taken(new)
        restore = self.photos.rename(label, new)
        self._classes.rename(label, new)

        def undo() -> None:
            restore()
            self._classes.rename(new, label)

        self.history.add(f"renaming {label} to {new}", undo)

    def reorder(self, labels: Sequence[str]) -> None:
        """Put the classes into another order, that of the model's outputs.

        Raises:
            UsageError: these are not the classes.
        """
        if sorted(labels) != sorted(self._classes):
            raise UsageError(
                f"the classes {', '.join(self.labels)}",
                ", ".join(labels) or "none",
                "name each class once",
                code="unknown-class",
            )
        before = self.labels
        self._classes.sort(labels)
        self.history.add("reordering the classes", lambda: self._classes.sort(before))

    def undo(self) -> str | None:
        """Undo the last change of images or classes; return what it was, None if there is none.

        Raises:
            OutputError: the folder cannot be written; the change can still be undone later.
        """
        return self.history.undo()

    def assess(self) -> Assessment:
        """Cross-validate; the next :meth:`learn` uses the strength that turns out best.

        Raises:
            DatasetError: fewer than two classes have examples.
        """
        examples = self.examples
        lesson.check_classes(examples.labels)
        values = self.extractor.format.values(examples.codes)
        result = assess(values, examples.targets, examples.labels)
        self.strength = result.strength
        return result

    def learn(self) -> Lesson:
        """Learn from all examples; :meth:`predict` uses the result, :meth:`save` writes it.

        Raises:
            DatasetError: fewer than two classes have examples.
        """
        self.lesson = lesson.learn(self.extractor, self.examples, self.strength)
        self._classifier = None
        return self.lesson

    def take(self, learned: Lesson, strength: float) -> None:
        """Take what :func:`edge.teaching.lesson.learn` learned from :attr:`examples` elsewhere."""
        self.lesson, self.strength, self._classifier = learned, strength, None

    def predict(self, image: BgrImage | str | Path) -> Classification:
        """Classify an image with the model that was learned last.

        Raises:
            ImageError: the file cannot be read, or the array is no image.
            DatasetError: fewer than two classes have examples.
        """
        if self._classifier is None:
            learned = self.lesson or self.learn()
            self._classifier = lesson.open_classifier(learned, self.extractor)
        return self._classifier.predict(image)

    def save(self, path: str | Path | None = None) -> Path:
        """Write what was learned last; return the path of the model.

        Args:
            path: a folder, which gets ``model.tflite``, ``labels.txt`` and the embeddings, by
                default that of :meth:`open`; or a file ``NAME.tflite`` for the model alone.

        Raises:
            DatasetError: fewer than two classes have examples.
            OutputError: a file cannot be written.
        """
        learned = self.lesson or self.learn()
        target = self.out if path is None else Path(path)
        if target.suffix == ".tflite":
            return write_model(target, learned.content)
        check_output(self.photos.root, target)
        with output_errors(target):
            target.mkdir(parents=True, exist_ok=True)
        stored = StoredExamples(self.extractor.format, self._classes.values_of())
        write_examples(target / EXAMPLES_FILE, stored)
        write_atomic(target / LABELS_FILE, format_labels(learned.labels))
        return write_model(target / MODEL_FILE, learned.content)

    def _read(self, folders: Sequence[str]) -> None:
        """Read what was learned before, and the images of the class ``folders``."""
        stored = read_examples(self.out / EXAMPLES_FILE)
        earlier = stored.classes if stored and stored.format == self.extractor.format else {}
        self._known = {each.image: each for classes in earlier.values() for each in classes}
        gone = [label for label in earlier if label not in folders and earlier[label]]
        for label in gone:
            self._classes[label] = {each.image: each for each in earlier[label]}
            self._say(
                f"{label} has no folder in {self.photos.root}: its {len(earlier[label])} "
                f"embeddings are kept; remove the class with --forget {label}"
            )
        files = [path for label in folders for path in self.photos.images(label)]
        self._classes.update({label: {} for label in folders})
        with count_progress("Embedding") as tell:
            for done, path in enumerate(files, 1):
                self._read_image(path)
                tell(done, len(files))
        self._classes.sort([*earlier_order(self.out), *folders])

    def _read_image(self, path: Path) -> None:
        """Take an image file as an example of its folder's class, or say why it cannot be read."""
        try:
            content = read_content(path)
            digest = hashlib.sha256(content).hexdigest()
            if digest not in self._known:
                self._known[digest] = Example(digest, self.extractor.embed_file(content, str(path)))
        except EdgeError as error:
            self._say(f"left out: {error}")
            return
        self._classes[path.parent.name][path.name] = self._known[digest]

    def _take(self, path: Path, label: str, embedding: Array) -> Path:
        """Take an image that was written as an example."""
        example = Example(sha256(path), embedding)
        self._known[example.image] = example
        if label not in self._classes:
            self._classes[label] = {}
        self._classes[label][path.name] = example
        self.history.add(f"adding {path.name} to {label}", self._removal(label, path))
        return path

    def _remove_class(self, label: str) -> Undo:
        restore = self.photos.remove_class(label)
        del self._classes[label]
        return restore

    def _removal(self, label: str, path: Path) -> Undo:
        """Return what removes an image that was added; the class may have another name by then."""

        def undo() -> None:
            self.photos.remove([path])
            self._classes[label].pop(path.name, None)

        return undo

    def _then_refresh(self, restore: Undo, label: str) -> Undo:
        """Return what restores image files and takes them as examples again."""

        def undo() -> None:
            restore()
            before = self._classes[label]
            self._classes[label] = {}
            for path in self.photos.images(label):
                if path.name in before:
                    self._classes[label][path.name] = before[path.name]
                else:
                    self._read_image(path)

        return undo
