"""The optimizer and its schedule."""

from typing import Any

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration (Jordan et al. 2024)."""


def learning_rate(peak: float, steps: int, warm_up: int, decay: float) -> Any:
    """Warm-up, then constant, then down to zero over the last share ``decay`` of ``steps``.

    Linear at both ends. As good as a cosine (Hägele et al. 2024, "Scaling laws and
    compute-optimal training beyond fixed training durations"), and the length of a run that is
    still in its constant part can be changed without repeating it.
    """
    from converters.tf import keras, tensorflow

    tf, tf_keras = tensorflow(), keras()

    schedule: Any = tf_keras.optimizers.schedules.LearningRateSchedule

    class Trapezoid(schedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            done = tf.cast(step, tf.float32)
            up = (done + 1.0) / max(1, warm_up)
            down = (steps - done) / max(1.0, decay * steps)
            return peak * tf.clip_by_value(tf.minimum(up, down), 0.0, 1.0)

    return Trapezoid()


def muon(rate: Any, boost: float = 1.0, momentum: float = 0.95) -> Any:
    """Adam, but with Muon's orthogonalised momentum for the 1×1 convolutions.

    Those hold nearly all weights of a MobileNetV2. Muon (Jordan et al. 2024, "Muon: an optimizer
    for hidden layers in neural networks") replaces the momentum of a matrix by the nearest
    matrix with singular values near one; scaled as by Liu et al. 2025 ("Muon is scalable for
    LLM training"), its steps are as large as Adam's and one learning rate serves both; ``boost``
    makes those of the matrices larger.
    """
    from converters.tf import keras, tensorflow

    tf, tf_keras = tensorflow(), keras()

    def orthogonalise(matrix: Any) -> Any:
        a, b, c = _NEWTON_SCHULZ
        wide = matrix.shape[0] <= matrix.shape[1]
        x = matrix if wide else tf.transpose(matrix)
        x = x / (tf.norm(x) + 1e-7)
        for _ in range(5):
            gram = tf.matmul(x, x, transpose_b=True)
            x = a * x + tf.matmul(b * gram + c * tf.matmul(gram, gram), x)
        return x if wide else tf.transpose(x)

    adam: Any = tf_keras.optimizers.Adam

    class Muon(adam):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any) -> None:
            shape = variable.shape
            if len(shape) != 4 or shape[:2] != (1, 1):
                super().update_step(gradient, variable)
                return
            slot = self._momentums[self._index_dict[self._var_key(variable)]]
            slot.assign(momentum * slot + (1 - momentum) * gradient)
            ahead = momentum * slot + (1 - momentum) * gradient
            step = orthogonalise(tf.reshape(ahead, (shape[2], shape[3])))
            scale = boost * 0.2 * float(max(shape[2], shape[3])) ** 0.5
            change = self.learning_rate * scale * tf.reshape(step, shape)
            variable.assign_sub(tf.cast(change, variable.dtype))

    return Muon(rate, name="muon")
