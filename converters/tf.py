"""Access to TensorFlow: imported lazily, once, quietly, with Keras 2.

The Model Optimization Toolkit works on Keras 2 models only, which live on as ``tf_keras``.
"""

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any

from edge.errors import EdgeError
from edge.installation import install_command
from edge.terminal import suppress_native_stderr

_import_lock = threading.Lock()


def tensorflow() -> Any:
    """Return the ``tensorflow`` module; the first call imports it (about 8 s).

    Raises:
        EdgeError: TensorFlow or tf_keras is not installed, or does not load.
    """
    with _import_lock:
        if "tensorflow" in sys.modules and "tf_keras" in sys.modules:
            return sys.modules["tensorflow"]
        return _import()


def keras() -> Any:
    """Return the ``tf_keras`` module (Keras 2); see :func:`tensorflow`."""
    tensorflow()
    return sys.modules["tf_keras"]


def is_installed() -> bool:
    """Return whether TensorFlow and tf_keras are installed, without importing them."""
    return all(find_spec(name) is not None for name in ("tensorflow", "tf_keras"))


def require(what: str) -> None:
    """Refuse ``what``, such as "--fine-tune always", where TensorFlow is not installed.

    Raises:
        EdgeError: with the command that installs it.
    """
    if not is_installed():
        raise EdgeError(
            f"TensorFlow 2.19 with tf-keras, for {what}",
            "no such installation",
            f"install it with: {install_command('train')} (Python 3.11 or 3.12), or leave it out",
            code="missing-package",
        )


def tfmot() -> Any:
    """Return ``tensorflow_model_optimization``, for ``tf_keras``; see :func:`tensorflow`.

    Raises:
        EdgeError: it is not installed, or does not load.
    """
    tensorflow()
    with _loading("the TensorFlow Model Optimization Toolkit 0.8"):
        import tensorflow_model_optimization
    return tensorflow_model_optimization


def mlir_quantize() -> Callable[..., bytes]:
    """Return the function that quantizes a calibrated file, with some operations left in float.

    TensorFlow's own ``tf.lite.experimental.QuantizationDebugger`` calls it, but supports float
    inputs and outputs only.
    """
    tensorflow()
    from tensorflow.lite.python import convert

    function: Callable[..., bytes] = convert.mlir_quantize
    return function


def prefetch() -> None:
    """Start importing TensorFlow in the background; :func:`tensorflow` then waits for it.

    A failure is reported not here but by the call that needs TensorFlow. Call it before any
    progress bar is shown: native messages are hidden from this call on.
    """
    if "tensorflow" in sys.modules:
        return
    hidden = ExitStack()
    hidden.enter_context(suppress_native_stderr())

    def work() -> None:
        try:
            tensorflow()
        except EdgeError:
            pass  # raised again by the call that needs TensorFlow
        finally:
            hidden.close()

    threading.Thread(target=work, name="import-tensorflow", daemon=True).start()


def clone_model(model: Any) -> Any:
    """Copy a tf_keras model: the same layers, with the same weights."""
    copy = keras().models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow."""
    keras().utils.set_random_seed(seed)


def _import() -> Any:
    # tfmot and tf.keras follow this switch when they are imported.
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _loading("TensorFlow 2.19 with tf-keras"), _garbage_kept():
        import tensorflow
        import tf_keras  # noqa: F401

        tensorflow.get_logger().setLevel("ERROR")
        tensorflow.config.list_physical_devices()  # looks for GPUs, printing messages
    return tensorflow


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Collect no garbage in the block: an import leaves next to none, and looking takes a fifth."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@contextmanager
def _loading(package: str) -> Iterator[None]:
    """Import quietly in the block; on failure, raise how to install ``package``."""
    try:
        with suppress_native_stderr():
            yield
    except ImportError as error:
        raise EdgeError(
            package,
            f"an import failure ({error})".replace("\n", " "),
            f"install it with: {install_command('train')} (Python 3.11 or 3.12)",
            code="missing-package",
        ) from error
