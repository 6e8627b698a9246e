"""Write the int8 extractor that ``edge teach`` uses, ``edge/teaching/builtin.tflite``.

    python -m converters.writer.builtin_extractor imagenet_samples_1000.zip -o builtin.tflite

It is the built-in backbone of ``edge convert``. The ranges of its activations are measured on
images of many kinds, since those that will be taught are not known; for the same reason those
behind a ReLU6 are 0 to 6 here, so that no image clips them. With measured ones, as in ``edge
convert``, which has the images, a model taught with five images a class of Fashion-MNIST was 0.5 ±
0.2 points worse (ten draws), and one taught with grocery photos no better.
"""

from pathlib import Path

import click
import numpy as np

from converters.backbone.pretrain.images import open_source
from converters.backbone.weights import read_builtin
from converters.writer.folding import FoldedNetwork, fold
from converters.writer.int8_file import to_int8
from converters.writer.ranges import Ranges, measure
from edge.files import write_atomic
from edge.image import decode_image
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.preprocessing import Preprocessing


def builtin_extractor(images: Path, count: int, seed: int) -> bytes:
    """Return the int8 file from pixels to the embedding.

    Args:
        images: zip or folder.
        count: number of them that are used.
        seed: of the choice.
    """
    card, weights = read_builtin()
    size = card["use_at"]
    preprocessing = Preprocessing(size, size)
    files = open_source(images).files
    chosen = np.random.default_rng(seed).permutation(len(files))[:count]
    pixels = np.stack([preprocessing.resize(decode_image(files[index])) for index in chosen])
    network = fold(weights, size)
    ranges = _open_behind_relu6(network, measure(network, pixels, preprocessing))
    content = to_int8(network, ranges, output_type="int8")
    about = ModelMetadata(
        name="MobileNetV2 0.5 without its head",
        description=f"Embeddings of images. Calibrated on {len(pixels)} images of {images.name}.",
        mean=preprocessing.mean,
        std=preprocessing.std,
        license=card["licence"],
    )
    return write_metadata(content, about)


def _open_behind_relu6(network: FoldedNetwork, ranges: Ranges) -> Ranges:
    """Return the ranges with those behind a ReLU6 as wide as it lets through."""
    layers = (layer for block in network.blocks for layer in block.layers)
    return {**ranges, **{layer.name: (0.0, 6.0) for layer in layers if layer.relu6}}


@click.command()
@click.argument("images", type=click.Path(path_type=Path, exists=True))
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="File to write.")
@click.option("--count", default=500, show_default=True, help="Number of images.")
@click.option("--seed", default=0, show_default=True, help="Seed of the choice of images.")
def main(images: Path, out: Path, count: int, seed: int) -> None:
    """Write the built-in backbone as an int8 extractor."""
    content = builtin_extractor(images, count, seed)
    write_atomic(out, content)
    click.echo(f"{out}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
