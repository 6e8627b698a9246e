"""ImageNet weights as tf_keras downloads and caches them, without waiting for a dead network."""

import contextlib
import socket
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

from converters import tf
from converters.progress import Progress

TIMEOUT_S = 10.0
"""Seconds without an answer after which the network counts as absent."""

_ADDRESS = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"


class UnreachableError(Exception):
    """The weights are neither cached nor to be downloaded; the message says why."""


def fetch(alpha: float, size: int, progress: Progress) -> Path:
    """The weights file in Keras' cache, downloaded if it is not there yet.

    Raises:
        UnreachableError: the server did not answer within :data:`TIMEOUT_S` seconds, or refused.
    """
    name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}_no_top.h5"
    cached = Path.home() / ".keras" / "models" / name  # where tf_keras.utils.get_file looks
    if cached.is_file():
        return cached
    _check_reachable(_ADDRESS + name)
    progress.say(f"Downloading {name} to the Keras cache.")
    return _download(name)


def _check_reachable(address: str) -> None:
    """Ask for the file's head only. In a thread, as looking up a name knows no timeout."""
    failure: list[Exception] = []

    def ask() -> None:
        request = urllib.request.Request(address, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):
                pass
        except (OSError, ValueError) as error:
            failure.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(TIMEOUT_S)
    if thread.is_alive():
        raise UnreachableError(f"no connection within {TIMEOUT_S:g} s")
    if failure:
        raise UnreachableError(f"no connection ({_reason(failure[0])})") from failure[0]


def _download(name: str) -> Path:
    get_file = tf.keras().utils.get_file
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_S)  # get_file has no timeout of its own
    try:
        # Keras prints its progress to stdout, which is for results.
        with contextlib.redirect_stdout(sys.stderr):
            return Path(get_file(name, _ADDRESS + name, cache_subdir="models"))
    except Exception as error:  # get_file raises a bare Exception
        raise UnreachableError(f"an interrupted download ({_reason(error)})") from error
    finally:
        socket.setdefaulttimeout(before)


def _reason(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return " ".join(str(reason).split())
