"""The one door to TensorFlow: imported late, once, with the Keras that the tools need, quietly.

The model optimisation toolkit works on Keras 2 models only, which live on as ``tf_keras``.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any, TextIO

from edge.errors import EdgeError

_import_lock = threading.Lock()


def tensorflow() -> Any:
    """The ``tensorflow`` module; the first call imports it (about 8 s).

    Raises:
        EdgeError: TensorFlow or tf_keras is not installed, or does not load.
    """
    with _import_lock:
        if "tensorflow" in sys.modules and "tf_keras" in sys.modules:
            return sys.modules["tensorflow"]
        return _import()


def keras() -> Any:
    """The ``tf_keras`` module (Keras 2); see :func:`tensorflow`."""
    tensorflow()
    return sys.modules["tf_keras"]


def tfmot() -> Any:
    """The ``tensorflow_model_optimization`` module, for ``tf_keras``; see :func:`tensorflow`.

    Raises:
        EdgeError: it is not installed, or does not load.
    """
    tensorflow()
    try:
        with quiet():
            import tensorflow_model_optimization
    except ImportError as error:
        raise EdgeError(
            "the model optimisation toolkit 0.8",
            f"none that loads ({error})".replace("\n", " "),
            "install it with: pip install 'edge-toolkit[convert]' (Python 3.11 or 3.12)",
        ) from error
    return tensorflow_model_optimization


def mlir_quantize() -> Callable[..., bytes]:
    """What makes an int8 file of a calibrated one, leaving out operations that it is told.

    TensorFlow's own ``tf.lite.experimental.QuantizationDebugger`` calls it, but knows float inputs
    and outputs only.
    """
    tensorflow()
    from tensorflow.lite.python import convert

    function: Callable[..., bytes] = convert.mlir_quantize
    return function


def prefetch() -> None:
    """Start importing TensorFlow in the background; :func:`tensorflow` then waits for it.

    A failure is not reported here but by the call that needs TensorFlow. Call it before anything
    shows a progress bar: the hiding of native messages starts in this call.
    """
    if "tensorflow" in sys.modules:
        return
    hidden = ExitStack()
    hidden.enter_context(quiet())

    def work() -> None:
        try:
            tensorflow()
        except EdgeError:
            pass  # tensorflow() will raise it again where somebody listens
        finally:
            hidden.close()

    threading.Thread(target=work, name="import-tensorflow", daemon=True).start()


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow."""
    keras().utils.set_random_seed(seed)


def _import() -> Any:
    # tfmot and tf.keras follow this switch when they are imported.
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with quiet():
            import tensorflow
            import tf_keras  # noqa: F401

            tensorflow.get_logger().setLevel("ERROR")
            tensorflow.config.list_physical_devices()  # looks for GPUs, loudly
    except ImportError as error:
        raise EdgeError(
            "TensorFlow 2.19 with tf-keras",
            f"none that loads ({error})".replace("\n", " "),
            "install it with: pip install 'edge-toolkit[convert]' (Python 3.11 or 3.12)",
        ) from error
    return tensorflow


class _Hidden:
    """File descriptor 2 led into a file; Python's own ``sys.stderr`` still reaches the user.

    TensorFlow's native part logs about twenty lines before its logging is set up, which no
    setting turns off.
    """

    def __init__(self) -> None:
        if sys.stderr is not None:
            sys.stderr.flush()
        self._terminal = os.dup(2)
        self._text: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed in close)
        self._python: tuple[TextIO, TextIO] | None = None
        if _is_descriptor_2(sys.stderr):
            # Never closed by us: logging handlers made meanwhile keep a reference to it.
            direct = os.fdopen(os.dup(self._terminal), "w", buffering=1, errors="backslashreplace")
            self._python = (sys.stderr, direct)
            sys.stderr = direct
        os.dup2(self._text.fileno(), 2)

    def close(self, show: bool) -> None:
        os.dup2(self._terminal, 2)
        if self._python is not None and sys.stderr is self._python[1]:
            sys.stderr = self._python[0]
        if show:
            self._text.seek(0)
            os.write(2, self._text.read())
        self._text.close()
        os.close(self._terminal)


def _is_descriptor_2(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.fileno() == 2
    except (OSError, ValueError, AttributeError):  # no real file behind it
        return False


_quiet_lock = threading.Lock()
_quiet_depth = 0
_quiet_failed = False
_hidden: _Hidden | None = None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what native code writes to stderr from the user, unless the block fails.

    For imports and conversions, whose native part cannot be silenced otherwise. Blocks nest and
    may overlap between threads; text is hidden while any is open, and shown at the end of the
    last one if one of them raised.
    """
    global _quiet_depth, _quiet_failed, _hidden  # noqa: PLW0603 (descriptor 2 is global, too)
    with _quiet_lock:
        if _quiet_depth == 0:
            _hidden, _quiet_failed = _Hidden(), False
        _quiet_depth += 1
    try:
        yield
    except BaseException:
        _quiet_failed = True
        raise
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0 and _hidden is not None:
                _hidden.close(show=_quiet_failed)
                _hidden = None
