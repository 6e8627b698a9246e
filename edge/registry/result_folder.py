"""Result folders of ``edge convert`` and ``edge compress`` in place of a model file."""

from pathlib import Path

from edge.errors import DelegateError, ModelError
from edge.modelfile import foreign

MODEL, EDGETPU = "model.tflite", "model_edgetpu.tflite"
"""Names of the model in a result folder, and of the same model compiled for the Edge TPU."""


def local_model(path: Path, delegate: str = "auto") -> Path:
    """Return the model in a result folder; any other path is returned unchanged.

    With delegate "edgetpu" it is the version compiled for the Edge TPU.

    Raises:
        ModelError: a folder without ``model.tflite``.
        DelegateError: a result folder without a model compiled for the Edge TPU.
    """
    if not path.is_dir():
        return path
    model, compiled = path / MODEL, path / EDGETPU
    if delegate == "edgetpu":
        if compiled.is_file():
            return compiled
        if model.is_file():
            raise DelegateError(
                "a model compiled for the Edge TPU",
                f"none in {path}",
                f"run 'edge compile {model}', or leave out --delegate edgetpu",
                code="model-not-for-edgetpu",
            )
    if not model.is_file():
        folder = foreign.identify_folder(path)
        raise ModelError(
            f"a model file, or a result folder of 'edge convert' with {MODEL}",
            f"{path}, which is {folder.kind} without {MODEL}",
            folder.fix,
            code="folder-without-model",
            summary=f"{path} is {folder.kind} without {MODEL}",
        )
    return model
