"""Split: stratified, seeded, by content, duplicates together."""

import json
from dataclasses import replace

import numpy as np
from errors import raises_code

from converters.dataset.audit import Audit, Dataset, ImageRecord
from converters.dataset.split import Split, from_dict, split
from edge.preprocessing import Preprocessing


def dataset(counts, groups=None, subsets=None, order=None) -> Dataset:
    """``counts`` images per class; ``groups`` maps an index to another of its group."""
    labels = np.repeat(np.arange(len(counts)), counts)
    grouped = np.arange(len(labels))
    for index, other in (groups or {}).items():
        grouped[index] = other
    order = np.arange(len(labels)) if order is None else order
    images = tuple(
        ImageRecord(f"{i}.jpg", int(labels[i]), subsets[i] if subsets else None, f"{i * 7919:064x}")
        for i in order
    )
    audit = Audit({}, (), (), (), (), {}, (), ())
    pixels = np.zeros((len(labels), 2, 2, 3), np.uint8)
    classes = tuple(f"class {i}" for i in range(len(counts)))
    return Dataset(
        "set", classes, images, Preprocessing(2, 2), pixels, labels[order], grouped[order], audit
    )


def contents(data: Dataset, indices) -> set[str]:
    return {data.images[i].digest for i in indices}


def subsets_of(result: Split) -> list[np.ndarray]:
    return [result.train, result.validation, result.test]


def test_shares_of_every_class() -> None:
    data = dataset([100, 40])
    result = split(data, 0)
    for label, expected in ((0, [70, 15, 15]), (1, [28, 6, 6])):
        assert [int((data.labels[s] == label).sum()) for s in subsets_of(result)] == expected
    together = np.concatenate(subsets_of(result))
    assert sorted(together.tolist()) == list(range(140))
    assert not result.given


def test_five_images_are_enough_for_three_subsets() -> None:
    data = dataset([5, 6, 7])
    for seed in range(20):
        for subset in subsets_of(split(data, seed)):
            assert set(data.labels[subset]) == {0, 1, 2}


def test_a_class_that_need_not_be_everywhere_is_trained_on_where_it_is_rare() -> None:
    data = replace(dataset([60, 2, 9]), classes=("cup", "spoon"), every_class=False)
    result = split(data, 0)  # the last nine images are of no class
    assert {60, 61} <= set(result.train)
    assert all((data.labels[subset] == 2).any() for subset in subsets_of(result))
    with raises_code("class-too-small", expected="'spoon'"):
        split(replace(data, every_class=True), 0)


def test_a_given_split_without_training_images_is_refused() -> None:
    given = ["test"] * 6 + ["validation"] * 6
    with raises_code("no-training-images"):
        split(replace(dataset([6, 6], subsets=given), every_class=False), 0)


def test_seed_decides() -> None:
    data = dataset([60, 60])
    assert split(data, 3).test.tolist() == split(data, 3).test.tolist()
    assert split(data, 3).test.tolist() != split(data, 4).test.tolist()


def test_order_and_names_do_not_matter() -> None:
    plain = dataset([30, 30])
    shuffled = dataset([30, 30], order=np.random.default_rng(0).permutation(60))
    for subset in ("train", "validation", "test"):
        first = contents(plain, getattr(split(plain, 1), subset))
        assert first == contents(shuffled, getattr(split(shuffled, 1), subset))


def test_added_images_leave_the_rest_where_it_was() -> None:
    def digests(count: int) -> tuple[set[str], set[str], set[str]]:
        images = tuple(ImageRecord("", int(i % 2), None, f"{i * 7919:064x}") for i in range(count))
        data = dataset([count // 2, count // 2])
        labels = np.array([p.label for p in images])
        data = Dataset(
            "", data.classes, images, data.preprocessing, data.pixels, labels,
            np.arange(count), data.audit,
        )  # fmt: skip
        result = split(data, 0)
        return tuple(contents(data, subset) for subset in subsets_of(result))  # type: ignore[return-value]

    before, after = digests(200), digests(210)
    moved = sum(len(old - new) for old, new in zip(before, after, strict=True))
    assert moved <= 10  # of 200; a new shuffle would move about 90


def test_duplicates_stay_together() -> None:
    pairs = {i + 1: i for i in range(0, 80, 2)}
    data = dataset([40, 40], groups=pairs)
    for seed in range(5):
        for indices in subsets_of(split(data, seed)):
            for index in indices:
                assert set(np.flatnonzero(data.groups == data.groups[index])) <= set(indices)


def test_a_large_group_goes_to_training() -> None:
    data = dataset([50, 50], groups=dict.fromkeys(range(1, 47), 0))
    result = split(data, 0)
    assert set(range(47)) <= set(result.train)
    assert (data.labels[result.test] == 0).any() and (data.labels[result.validation] == 0).any()


def test_copies_of_two_images_are_no_class() -> None:
    data = dataset([6, 6], groups={1: 0, 2: 0, 4: 3, 5: 3})
    with raises_code("class-too-small", expected="at least 3 distinct images of 'class 0'"):
        split(data, 0)


def given(*counts: int) -> list[str]:
    words = ("train", "validation", "test")
    return [w for w, count in zip(words, counts, strict=True) for _ in range(count)]


def test_given_subsets_are_kept() -> None:
    subsets = given(10, 3, 2) * 2
    result = split(dataset([15, 15], subsets=subsets), 0)
    assert result.given
    assert result.test.tolist() == [i for i, subset in enumerate(subsets) if subset == "test"]
    assert [len(subset) for subset in subsets_of(result)] == [20, 6, 4]


def test_validation_is_drawn_from_training() -> None:
    data = dataset([100, 100], subsets=given(85, 0, 15) * 2)
    result = split(data, 0)
    assert [len(subset) for subset in subsets_of(result)] == [140, 30, 30]
    assert {data.images[i].split for i in result.validation} == {"train"}


def test_test_is_drawn_from_training() -> None:
    data = dataset([100, 100], subsets=given(85, 15, 0) * 2)
    assert [len(subset) for subset in subsets_of(split(data, 0))] == [140, 30, 30]


def test_duplicates_across_given_subsets_stay_in_the_test_only() -> None:
    subsets = given(5, 2, 3) * 2
    data = dataset([10, 10], subsets=subsets, groups={9: 0, 5: 0, 6: 1})
    result = split(data, 0)
    assert 9 in result.test
    assert 6 in result.validation
    assert not {0, 1, 5} & set(np.concatenate(subsets_of(result)).tolist())
    assert len(result.test) == 6


def test_a_class_without_training_images() -> None:
    data = dataset([6, 6], subsets=["train"] * 4 + ["validation", "test"] + ["test"] * 6)
    with raises_code("class-without-training-images", expected="'class 1'"):
        split(data, 0)


def test_recorded_and_read_again() -> None:
    data = dataset([30, 30])
    result = split(data, 5)
    record = json.loads(json.dumps(result.to_dict(data)))
    assert record["seed"] == 5 and record["fractions"]["test"] == 0.15
    shuffled = dataset([30, 30], order=np.random.default_rng(1).permutation(60))
    again = from_dict(record, shuffled)
    assert again.seed == 5 and not again.given
    for subset in ("train", "validation", "test"):
        assert contents(shuffled, getattr(again, subset)) == set(record[subset])


def test_recorded_images_that_are_gone() -> None:
    record = split(dataset([30, 30]), 0).to_dict(dataset([30, 30]))
    with raises_code("split-images-missing", found="5 of 60"):
        from_dict(record, dataset([30, 25]))


def test_a_recorded_copy_that_is_gone() -> None:
    data = dataset([10, 10], groups={1: 0})
    copy = replace(data.images[1], digest=data.images[0].digest)
    data = replace(data, images=(data.images[0], copy, *data.images[2:]))
    record = split(data, 0).to_dict(data)
    less = replace(data, images=data.images[1:], labels=data.labels[1:])
    with raises_code("split-images-missing", found="1 of 20"):
        from_dict(record, less)


def test_a_copy_that_was_in_no_subset_stays_so() -> None:
    data = dataset([10, 10], subsets=given(5, 2, 3) * 2, groups={9: 0})
    copy = replace(data.images[0], digest=data.images[9].digest)
    data = replace(data, images=(copy, *data.images[1:]))
    result = split(data, 0)
    again = from_dict(result.to_dict(data), data)
    for before, after in zip(subsets_of(result), subsets_of(again), strict=True):
        assert before.tolist() == after.tolist()
