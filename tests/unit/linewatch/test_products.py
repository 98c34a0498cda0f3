"""Product files."""

from __future__ import annotations

from pathlib import Path

import pytest

from linewatch.errors import ProductError
from linewatch.products import ProductSpec, load_product, parse_product, product_files


def test_the_cable_ships_with_the_seeds_nine_classes() -> None:
    cable = load_product(next(p for p in product_files() if p.stem == "cable"))
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


def test_a_missing_and_a_broken_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ProductError, match=r"none\.yaml"):
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
