import math

from damaged import reverse_weights

from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.tflite import Variant
from converters.verification.layers import LayerNoise, layer_noise


def noise(
    variants: tuple[Variant, ...], int8: bytes, shapes: Dataset, split: Split
) -> tuple[LayerNoise, ...]:
    pixels = shapes.pixels[split.test[:6]]
    return layer_noise(variants[0].content, int8, pixels, shapes.preprocessing)


def test_layers_come_in_order_with_sensible_ratios(
    micro_variants: tuple[Variant, ...], shapes: Dataset, shapes_split: Split
) -> None:
    layers = noise(micro_variants, micro_variants[2].content, shapes, shapes_split)
    names = [layer.layer for layer in layers]
    assert names[:3] == ["Conv1", "expanded_conv_depthwise", "expanded_conv_project"]
    assert names.index("block_3_expand") < names.index("block_4_add") < names.index("head")
    assert all(10 < layer.snr_db < 60 for layer in layers)


def test_a_damaged_layer_is_found(
    micro_variants: tuple[Variant, ...], shapes: Dataset, shapes_split: Split
) -> None:
    damaged = reverse_weights(micro_variants[2].content, "block_3_expand")
    layers = noise(micro_variants, damaged, shapes, shapes_split)
    assert max(layers, key=lambda layer: layer.added_noise).layer == "block_3_expand"
    before = [layer for layer in layers if layer.layer == "block_2_add"]
    assert before[0].snr_db > 15, "layers before the damage are as good as ever"


def test_a_file_against_itself_has_no_noise(
    micro_variants: tuple[Variant, ...], shapes: Dataset, shapes_split: Split
) -> None:
    content = micro_variants[0].content
    layers = layer_noise(
        content, content, shapes.pixels[shapes_split.test[:2]], shapes.preprocessing
    )
    assert layers and all(math.isinf(layer.snr_db) and layer.added_noise == 0 for layer in layers)
