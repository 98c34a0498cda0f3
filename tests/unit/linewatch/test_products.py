"""Product files."""

from __future__ import annotations

from pathlib import Path

import pytest

from linewatch.errors import ProductError
from linewatch.products import (
    ProductSpec,
    load_product,
    parse_product,
    shipped_product,
)


def test_the_cable_ships_with_the_seeds_nine_classes() -> None:
    cable = shipped_product("cable")
    assert len(cable.class_codes) == 9
    assert cable.good_class == "good"
    assert all(spec.prompts for spec in cable.classes)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ([{"code": "a"}], "at least 2"),
        ([{"code": "a"}, {"code": "a"}], "listed twice: a"),
        ([{"code": "a", "good": True}, {"code": "b", "good": True}], "more than one class"),
        ([{"code": "a b"}, {"code": "c"}], "classes.0.code"),
    ],
)
def test_a_wrong_product_says_what_and_where(classes: list[dict[str, object]], words: str) -> None:
    with pytest.raises(ProductError, match=words) as caught:
        parse_product({"product": "p", "classes": classes}, source="p.yaml")
    assert str(caught.value).startswith("p.yaml")


def test_bits_are_a_products_and_a_cameras() -> None:
    classes = [{"code": "good", "good": True}, {"code": "bent"}]
    cameras = {"cam-2": {"bits": 10}, "cam-3": {}}
    spec = parse_product(
        {"product": "p", "classes": classes, "bits": 12, "cameras": cameras}, source="p.yaml"
    )
    assert [spec.bits_of(camera) for camera in ("cam-1", "cam-2", "cam-3", None)] == [
        12,
        10,
        12,
        12,
    ]
    plain = parse_product({"product": "p", "classes": classes}, source="p.yaml")
    assert plain.bits_of("cam-2") is None
    # A worker of 0.1.0 refuses a product with a key that it does not know.
    assert not {"bits", "cameras"} & set(plain.model_dump(mode="json"))
    assert parse_product(spec.model_dump(mode="json"), source="db") == spec
    for wrong in ({"bits": 7}, {"bits": 17}, {"cameras": {"cam-1": {"bit": 12}}}):
        with pytest.raises(
            ProductError, match=r"^p\.yaml: (bits|cameras|there is no key .cameras)"
        ):
            parse_product({"product": "p", "classes": classes, **wrong}, source="p.yaml")


def test_a_missing_and_a_broken_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        ProductError, match=r"none\.yaml cannot be read: No such file or directory$"
    ):
        load_product(tmp_path / "none.yaml")
    (tmp_path / "broken.yaml").write_text("product: [")
    with pytest.raises(ProductError, match=r"broken\.yaml"):
        load_product(tmp_path / "broken.yaml")


def test_a_folder_of_classes_is_a_product(tmp_path: Path) -> None:
    for name in ("good", "scratch"):
        (tmp_path / name).mkdir()
    spec = ProductSpec.from_folder(tmp_path, "strip")
    assert spec.class_codes == ("good", "scratch")
    assert spec.good_class == "good"
    with pytest.raises(ProductError, match="two class sub-folders"):
        ProductSpec.from_folder(tmp_path / "good", "strip")
