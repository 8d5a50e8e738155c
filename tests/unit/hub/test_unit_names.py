"""Names of units as answers and reports give them."""

from __future__ import annotations

from hub.unit_names import UnitNames

NAMES = UnitNames({"sanitation": "环卫中心", "market": "市场所"}, {"sanitation": "Sanitation centre"})


def test_the_english_stands_beside_the_chinese_where_there_is_any() -> None:
    assert NAMES.names("sanitation") == {"name": "环卫中心", "name_en": "Sanitation centre"}
    assert NAMES.names("market") == {"name": "市场所", "name_en": ""}
    assert NAMES.said() == {"sanitation": {"zh": "环卫中心", "en": "Sanitation centre"}, "market": "市场所"}


def test_a_unit_that_is_gone_is_called_by_its_id_and_nobody_by_nothing() -> None:
    assert NAMES.columns("gone") == {"department": "gone", "department_name": "gone", "department_name_en": ""}
    assert set(NAMES.columns(None).values()) == {None}
