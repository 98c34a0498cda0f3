"""The optional keys of a product file, and keys that nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from linewatch.errors import ProductError
from linewatch.product_options import ProductOptions
from linewatch.products import parse_product, parse_stored_product

BASE: dict[str, Any] = {
    "product": "plug",
    "classes": [{"code": "good", "good": True}, {"code": "cut"}],
}
ALL: dict[str, Any] = {
    "fit": "tiles",
    "roi": {"x": 0.1, "y": 0.2, "width": 0.9, "height": 0.5},
    "prompt_templates": ["{}", "a close-up photo of {}"],
    "symmetry": ["flip", "rotate90"],
    "escape_target": 0.01,
    "confidence": 0.95,
    "unproven": "provisional",
    "audit_share": 0,
    "serial_unique_within": "lot",
    "pass_gap_s": 600,
    "views": ["top", "side"],
    "views_timeout_s": 5,
}


def test_every_option_is_read_and_written_as_it_was() -> None:
    assert ALL.keys() == ProductOptions.model_fields.keys()
    spec = parse_product({**BASE, **ALL}, "t")
    dumped = spec.model_dump(mode="json")
    assert {name: dumped[name] for name in ALL} == ALL
    assert parse_product(dumped, "t") == spec
    polygon = parse_product({**BASE, "roi": [[0, 0], [1, 0], [0.5, 1]]}, "t")
    assert polygon.roi == ((0, 0), (1, 0), (0.5, 1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fit": "stretch"}, "fit: Input should be 'pad'"),
        ({"roi": {"x": 0.5, "y": 0, "width": 0.6, "height": 1}}, "reaches out of the picture"),
        ({"roi": {"x": 0, "y": 0, "width": 0, "height": 1}}, "roi.rectangle.width"),
        ({"roi": [[0, 0], [1, 1]]}, "roi.polygon"),
        ({"roi": [[0, 0], [1, 1], [2, 0]]}, "roi.polygon.2.0"),
        ({"roi": "left"}, "roi.polygon"),
        ({"roi": [[0, 0], [0.5, 0.5], [1, 1]]}, "encloses nothing"),
        ({"roi": [[0.5, 0.5]] * 3}, "encloses nothing"),
        ({"prompt_templates": ["a photo"]}, "says not once where the prompt goes"),
        ({"prompt_templates": ["{} {}"]}, "says not once where the prompt goes"),
        ({"prompt_templates": []}, "prompt_templates"),
        ({"symmetry": ["flip", "flip"]}, "symmetry: names one twice"),
        ({"symmetry": ["turn"]}, "symmetry.0"),
        *(({"escape_target": bad}, "escape_target") for bad in (0, 1, -0.1, float("nan"))),
        ({"confidence": 1.5}, "confidence"),
        ({"unproven": "pass"}, "unproven"),
        ({"audit_share": 1.1}, "audit_share"),
        ({"serial_unique_within": "week"}, "serial_unique_within"),
        *(({"pass_gap_s": bad}, "pass_gap_s") for bad in (0, float("inf"), 1e18)),
        ({"views": []}, "views"),
        ({"views": ["a", "a"]}, "views: names one twice"),
        ({"views": ["a\0"]}, "views.0: holds control"),
        *(({"views_timeout_s": bad}, "views_timeout_s") for bad in (-1, 1e18)),
        *(({"audit_share": bad}, "audit_share: .* valid number") for bad in (True, "0.5")),
        ({"retenton": {}}, r"there is no key 'retenton' \(is 'retention' meant\?\)"),
        ({"costs": {"escpae": 1}}, r"'costs.escpae' \(is 'escape' meant\?\)"),
        ({"classes": [{"code": "a", "promts": []}, {"code": "b"}]}, r"'classes.0.promts'"),
        ({"roi": {"x": 0, "y": 0, "widht": 1, "height": 1}}, r"'roi.widht' \(is 'width' meant"),
        ({"zzz": 1, "fti": "pad"}, r"no key 'zzz'; there is no key 'fti' \(is 'fit' meant\?\)"),
    ],
)
def test_a_wrong_file_is_named_with_its_key_and_the_nearest(
    change: dict[str, Any], words: str
) -> None:
    with pytest.raises(ProductError, match=words) as caught:
        parse_product({**BASE, **change}, "plug.yaml")
    assert str(caught.value).startswith("plug.yaml: ")
    assert "\n" not in str(caught.value)


def test_a_stored_product_of_a_later_version_is_read_without_what_is_new() -> None:
    later = {**BASE, **ALL, "tilt": 3, "fit": "warp", "costs": None}
    later["classes"] = [{**spec, "severity": 2} for spec in BASE["classes"]]
    spec, left_out = parse_stored_product(later, "row")
    assert spec.class_codes == ("good", "cut")
    assert (spec.fit, spec.symmetry) == (None, ("flip", "rotate90"))
    assert " ".join(left_out).count("severity") == 2
    assert any("tilt" in words for words in left_out)
    assert any("fit" in words for words in left_out)


@pytest.mark.parametrize(
    "change", [{"classes": []}, {"retention": {"features": -1}}, {"product": "a b"}]
)
def test_what_every_version_must_understand_is_still_an_error(change: dict[str, Any]) -> None:
    with pytest.raises(ProductError, match=rf"^row: .*{next(iter(change))}"):
        parse_stored_product({**BASE, "fit": "warp", **change}, "row")
    with pytest.raises(ProductError):
        parse_stored_product(["not", "a", "product"], "row")


def test_the_names_of_cameras_are_anybodys_and_their_keys_are_not() -> None:
    """`cameras` is a table by name: an unknown key lies one level deeper."""
    data = {"product": "p", "classes": [{"code": "a"}, {"code": "b"}]}
    spec = parse_product({**data, "cameras": {"cam-2": {"bits": 12}}}, "p.yaml")
    assert spec.bits_of("cam-2") == 12
    with pytest.raises(ProductError, match=r"no key 'cameras\.cam-2\.bit' \(is 'bits' meant\?\)"):
        parse_product({**data, "cameras": {"cam-2": {"bit": 12}}}, "p.yaml")
    stored, left_out = parse_stored_product({**data, "cameras": {"c": {"bits": 12, "x": 1}}}, "p")
    assert stored.bits_of("c") == 12
    assert left_out == ["'cameras.c.x'"]
