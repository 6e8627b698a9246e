"""Options of custom operations: the integers of a map, whatever else is in it."""

import random

from flatbuffers import flexbuffers as reference

from edge.modelfile import flexbuffers


def options(number: int) -> bytes:
    builder = reference.Builder()
    with builder.Map():
        builder.Int("num_classes", number)
        builder.Float("scale", 1.5)
        builder.Bool("regular", True)
        builder.String("name", "x")
        builder.UInt("max_detections", 10)
    return bytes(builder.Finish())


def test_integers_of_every_width_are_read() -> None:
    for number in (1, 300, 70_000, 5_000_000_000):
        assert flexbuffers.integers(options(number)) == {
            "num_classes": number,
            "max_detections": 10,
        }


def test_damaged_options_are_none() -> None:
    assert flexbuffers.integers(b"") == {}
    assert flexbuffers.integers(b"\x05\x04\x01") == {}
    content, generator = options(90), random.Random(0)
    for _ in range(2000):
        damaged = bytearray(content)
        damaged[generator.randrange(len(content))] = generator.randrange(256)
        flexbuffers.integers(bytes(damaged[: generator.randrange(len(content) + 1)]))
