"""ImageNet weights, downloaded and cached by tf_keras, with a network timeout."""

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
"""Seconds without a response after which the network counts as unavailable."""

_ADDRESS = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"


class UnreachableError(Exception):
    """The weights are not cached and cannot be downloaded; the message says why."""


def fetch(alpha: float, size: int, progress: Progress) -> Path:
    """Return the weights file in Keras' cache, downloading it if necessary.

    Raises:
        UnreachableError: the server did not respond within :data:`TIMEOUT_S` seconds, or refused.
    """
    name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}_no_top.h5"
    cached = Path.home() / ".keras" / "models" / name  # as in tf_keras.utils.get_file
    if cached.is_file():
        return cached
    _check_reachable(_ADDRESS + name)
    progress.say(f"Downloading {name} to the Keras cache.")
    return _download(name)


def _check_reachable(address: str) -> None:
    """Send a HEAD request, in a thread, as name resolution has no timeout."""
    failure: list[Exception] = []

    def send_request() -> None:
        request = urllib.request.Request(address, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):
                pass
        except (OSError, ValueError) as error:
            failure.append(error)

    thread = threading.Thread(target=send_request, daemon=True)
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
