"""Images that are made smaller and written as JPEG."""

import numpy as np
from errors import raises_code

from edge.image import decode_image, downscale, encode_jpeg

NOISE = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)


def test_an_image_is_made_smaller_in_its_proportions_and_never_larger() -> None:
    assert downscale(NOISE, 80).shape == (45, 80, 3)
    assert downscale(NOISE.transpose(1, 0, 2), 80).shape == (80, 45, 3)
    assert downscale(NOISE[:1], 16).shape == (1, 16, 3)
    assert downscale(NOISE, 160) is downscale(NOISE, 500) is NOISE


def test_a_jpeg_is_what_it_was_made_from_and_better_with_more_quality() -> None:
    soft = downscale(NOISE, 8).repeat(8, 0).repeat(8, 1)
    read = decode_image(encode_jpeg(soft, 95))[..., ::-1]
    assert np.abs(read.astype(int) - soft).mean() < 5
    assert len(encode_jpeg(NOISE, 30)) < len(encode_jpeg(NOISE, 90))


def test_an_image_too_large_for_a_jpeg_is_said_plainly() -> None:
    with raises_code("image-too-large", found="65536x1", kind="OutputError"):
        encode_jpeg(np.zeros((1, 65_536, 3), np.uint8), 90)
