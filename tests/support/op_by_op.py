"""TensorFlow without graphs, for trainings of a few steps: tracing them would take longest."""

from collections.abc import Iterator
from contextlib import contextmanager

from converters import tf


@contextmanager
def op_by_op() -> Iterator[None]:
    """Run functions of TensorFlow, and with them steps of Keras models, without tracing them.

    The same operations compute the same values. What is converted is traced as always.
    """
    config = tf.tensorflow().config
    config.run_functions_eagerly(True)
    try:
        yield
    finally:
        config.run_functions_eagerly(False)
