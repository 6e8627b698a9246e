import pytest
from errors import raises_code

from converters.evaluation.label_matching import match_labels, parse_renames


def test_case_underscores_hyphens_and_spaces_make_no_difference() -> None:
    match = match_labels(["hot dog", "Cell_Phone"], ["cell-phone", "HOT  DOG"])

    assert match.classes == ("cell-phone", "HOT  DOG")
    assert match.of_model.tolist() == [1, 0]
    assert match.of_dataset.tolist() == [0, 1]
    assert match.notes == ()


def test_classes_of_one_side_alone_are_noted_and_left_out() -> None:
    match = match_labels(["cat", "dog", "cow"], ["horse", "dog", "cat"])

    assert match.classes == ("dog", "cat")
    assert match.of_model.tolist() == [1, 0, -1]
    assert match.of_dataset.tolist() == [-1, 0, 1]
    assert "horse" in match.notes[0]
    assert "cow" in match.notes[1]


def test_a_part_of_a_label_with_commas_matches() -> None:
    assert match_labels(["tabby, tabby cat", "tench, Tinca tinca"], ["Tinca Tinca"]).classes == (
        "Tinca Tinca",
    )


@pytest.mark.parametrize("old", ["car", "Truck"])
def test_other_names_of_either_side(old: str) -> None:
    renames = {"car": "vehicle"} if old == "car" else {"vehicle": "Truck", "car": "truck"}

    match = match_labels(["car", "person"], ["vehicle", "person"], renames)

    assert match.of_model.tolist() == [0, 1]


def test_several_classes_of_the_model_may_be_one_of_the_dataset() -> None:
    match = match_labels(["car", "bus"], ["vehicle"], {"car": "vehicle", "bus": "vehicle"})

    assert match.of_model.tolist() == [0, 0]


def test_backgrounds_match_and_are_not_enough() -> None:
    match = match_labels(["???", "cat"], ["_background_", "cat"])

    assert match.background == 0
    with raises_code("no-common-label"):
        match_labels(["background", "cat"], ["background", "dog"])


def test_no_common_class_names_both_sides() -> None:
    with raises_code("no-common-label") as caught:
        match_labels(["person", "car"], ["RBC"])

    assert "person, car in the model" in caught.value.found
    assert "RBC in the dataset" in caught.value.found


def test_classes_are_kept_that_another_model_has_too() -> None:
    match = match_labels(["cat", "dog", "cow"], ["cow", "dog", "cat"]).keep(["cat", "cow"])

    assert match.classes == ("cow", "cat")
    assert match.of_model.tolist() == [1, -1, 0]
    assert match.of_dataset.tolist() == [0, -1, 1]
    with raises_code("no-common-label"):
        match.keep(["dog"])


def test_other_names_need_a_class_of_either_side() -> None:
    with raises_code("unknown-class", fix="did you mean 'dog'?"):
        match_labels(["cat"], ["dog"], {"dgo": "cat"})


def test_pairs_are_read() -> None:
    assert parse_renames(["car = big vehicle"]) == {"car": "big vehicle"}
    with raises_code("invalid-label-map"):
        parse_renames(["car"])
