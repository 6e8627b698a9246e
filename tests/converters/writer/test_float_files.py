"""The float files run, and agree with each other."""

from dataclasses import replace

import numpy as np
from written_networks import run, run_each, softmax

from converters.writer.float_files import to_dynamic_range, to_float16, to_float32, to_probe
from converters.writer.folding import FoldedNetwork
from edge.modelfile import operations, structure, tflite


def test_the_head_is_applied_to_the_embedding(network: FoldedNetwork, inputs: np.ndarray) -> None:
    embedding = run(to_float32(replace(network, head=None)), inputs[:1])
    assert network.head is not None
    np.testing.assert_allclose(
        run(to_float32(network), inputs[:1]), softmax(network.head.logits(embedding)), atol=1e-6
    )


def test_smaller_weights_make_smaller_files_that_say_the_same(
    network: FoldedNetwork, inputs: np.ndarray
) -> None:
    whole, half, dynamic = (write(network) for write in (to_float32, to_float16, to_dynamic_range))
    assert len(half) < 0.55 * len(whole)
    assert len(dynamic) < 0.4 * len(whole)
    scores = run_each(whole, inputs[:6, None])
    for content, tolerance in ((half, 0.005), (dynamic, 0.03)):
        structure.check(tflite.parse(content), "file")
        np.testing.assert_allclose(run_each(content, inputs[:6, None]), scores, atol=tolerance)


def test_operations_have_tensorflows_versions(network: FoldedNetwork) -> None:
    def versions(content: bytes) -> dict[tuple[str, int], int]:
        return {
            (op.name, op.version): op.count for op in operations.operations(tflite.parse(content))
        }

    float32 = {
        ("CONV_2D", 1): 35, ("DEPTHWISE_CONV_2D", 1): 17, ("ADD", 1): 10, ("MEAN", 1): 1,
        ("FULLY_CONNECTED", 1): 1, ("SOFTMAX", 1): 1,
    }  # fmt: skip
    assert versions(to_float32(network)) == float32
    assert versions(to_float16(network)) == {**float32, ("DEQUANTIZE", 3): 106}
    dynamic = versions(to_dynamic_range(network))
    assert {("CONV_2D", 5), ("DEPTHWISE_CONV_2D", 6), ("FULLY_CONNECTED", 9)} <= dynamic.keys()


def test_the_probe_has_all_activations_but_the_scores(network: FoldedNetwork) -> None:
    content, names = to_probe(network)
    assert len(names) == 35 + 17 + 10 + 2
    assert names[-2:] == ("embedding", "logits")
    assert [tensor.name for tensor in tflite.parse(content).outputs] == list(names)
    assert to_probe(replace(network, head=None))[1] == names[:-1]
