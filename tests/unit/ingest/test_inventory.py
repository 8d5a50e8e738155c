"""Inventory files: good rows come through, every error is told at once and names file, row, key, value."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from ingest.device import Camera, Place, Sensor, Watch
from ingest.errors import InventoryError
from ingest.inventory import cameras_by_row, read_cameras, read_sensors


def write(tmp_path: Path, text: str | bytes, name: str = "cameras.yaml") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_cameras_from_yaml(tmp_path: Path) -> None:
    rows, errors = read_cameras(
        write(
            tmp_path,
            """
cameras:
  - {id: c1, name: 幸福路路口, url: "rtsp://admin:pw@10.0.0.5/ch1", watch: patrol, every_s: 30, priority: 2,
     preset: north, lon: 118.1, lat: 24.5, address: 幸福路1号, grid: "62100203005"}
  - {id: c2, url: "http://10.0.0.6/snap.jpg"}
""",
        )
    )
    assert errors == []
    place = Place(118.1, 24.5, "幸福路1号", "62100203005")
    assert rows == [
        Camera("c1", "幸福路路口", "rtsp://admin:pw@10.0.0.5/ch1", Watch.PATROL, 30.0, 2, "north", place),
        Camera("c2", "c2", "http://10.0.0.6/snap.jpg"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_as_spreadsheets_write_it(tmp_path: Path, encoding: str) -> None:
    heading, first = "id,name,device,profile,every_s,lon,lat", "b1,垃圾桶一,bin-1,bin_level,600,118.1,24.5"
    text = f"{heading}\r\n{first}\r\nb2,,bin-2,bin_level,,,\r\n"
    rows, errors = read_sensors(write(tmp_path, text.encode(encoding), "sensors.csv"))
    assert errors == []
    assert rows == [
        Sensor("b1", "垃圾桶一", "bin-1", "bin_level", 600.0, Place(118.1, 24.5)),
        Sensor("b2", "b2", "bin-2", "bin_level"),
    ]


def test_a_spreadsheet_of_sensors(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(
        ["id", "name", "device", "profile", "every_s", "lon", "lat", "settings", "asset", "installed_on"]
    )
    well = ["w1", "雨水井", 862000050001, "well_level", 600, 107.63, 35.73, "crown_cm=180", "62100201003000012"]
    book.active.append([*well, date(2026, 11, 1)])
    book.active.append([None] * 5)
    book.active.append(["w2", "", "w-2", "well_level", None, None, None, "crown", "123", "soon"])
    book.save(tmp_path / "sensors.xlsx")
    rows, errors = read_sensors(tmp_path / "sensors.xlsx")
    place = Place(107.63, 35.73)
    settings = (("crown_cm", 180.0),)
    assert rows == [
        Sensor(
            "w1", "雨水井", "862000050001", "well_level", 600, place, settings, "", "62100201003000012", "2026-11-01"
        )
    ]
    assert [e.key for e in errors] == ["settings", "asset", "installed_on"]
    assert "17 digits" in str(errors[1])
    (tmp_path / "not.xlsx").write_bytes(b"PK nothing")
    with pytest.raises(InventoryError, match="not a spreadsheet"):
        read_sensors(tmp_path / "not.xlsx")


def test_every_error_at_once_and_the_good_rows_still_come(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
- {id: good, url: "rtsp://h/x"}
- {id: good, url: "rtsp://h/y"}
- {id: a, url: "gopher://u:secret@h/x"}
- {id: b, url: "rtsp://h/x", watch: stare, every_s: fast, colour: red}
- {url: "rtsp://h/x", lon: 200, lat: 24}
- {id: d}
- {id: e, url: "rtsp://admin:pa/ss@h/x"}
- {id: f, url: "rtsp://h/x", watch: snapshot}
- {id: g, url: "rtsp://h/x", lon: 118.1}
- just text
""",
    )
    rows, errors = read_cameras(path)
    assert [row.id for row in rows] == ["good"]
    found = {(e.row, e.key) for e in errors}
    assert found == {
        (2, "id"), (3, "url"), (4, "watch"), (4, "every_s"), (4, ""), (5, "id"), (5, "lon"), (6, "url"), (7, "url"),
        (8, "watch"), (9, "lat"), (10, ""),
    }  # fmt: skip
    for error in errors:
        text = str(error)
        assert str(path) in text
        assert f"row {error.row}" in text
        assert "allowed: " in text
        assert "secret" not in text
        assert "pa/ss" not in text
        assert "'pa'" not in text
    by_place = {(e.row, e.key): str(e) for e in errors}
    assert "'gopher" in by_place[3, "url"]
    assert "rtsp, rtsps, http" in by_place[3, "url"]
    assert "stay, patrol, snapshot" in by_place[4, "watch"]
    assert "'fast'" in by_place[4, "every_s"]
    assert "%2F" in by_place[7, "url"]


@pytest.mark.parametrize("id_", ["楼北/1", "a/b", "a b", "3#楼", ".", "..", "a" * 65, "a?b", "a%2Fb"])
def test_an_id_that_fits_no_address_is_refused_in_its_row(tmp_path: Path, id_: str) -> None:
    cameras = write(tmp_path, f"- {{id: good:1_2.3-4, url: 'rtsp://h/x'}}\n- {{id: '{id_}', url: 'rtsp://h/x'}}")
    sensors = write(tmp_path, f"id,device,profile\ns1,zigbee/kitchen,door\n{id_},d2,door\n", "s.csv")
    for (rows, errors), row in ((read_cameras(cameras), 2), (read_sensors(sensors), 3)):
        assert len(rows) == 1
        (error,) = errors
        assert (error.row, error.key, error.value) == (row, "id", id_)
        assert "1 to 64 of the letters A-Z and a-z, digits, _ . : and -" in str(error)


@pytest.mark.parametrize(
    "code", ["62100203005000457", "62100203005000000001", "62100200100100A", "6210020010011320000001"]
)
def test_codes_of_the_standards_are_ids(tmp_path: Path, code: str) -> None:
    """管理部件标识码, GB/T 28181 and grid codes, also unquoted in YAML."""
    rows, errors = read_cameras(write(tmp_path, f"- {{id: {code}, url: 'rtsp://h/x'}}"))
    assert ([row.id for row in rows], errors) == ([code], [])


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("c.yaml", "cameras: [", "not YAML"),
        ("c.yaml", "cameras: {a: 1}", "wanted a list"),
        ("c.yaml", "camera: []", "unknown key 'camera'"),
        ("c.txt", "x", ".yaml, .yml, .csv"),
        ("c.csv", b"id,url\n\xff\xff\xff,x\n", "neither UTF-8 nor GB 18030"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, text: str | bytes, words: str) -> None:
    path = write(tmp_path, text, name)
    with pytest.raises(InventoryError, match=words) as refused:
        read_cameras(path)
    assert name in str(refused.value)


def test_rows_are_told_as_a_spreadsheet_numbers_them(tmp_path: Path) -> None:
    text = 'id,name,url\n\na,"two\nlines",rtsp://h/x\n,,\nb,,gopher://h\n'
    (row,), (error,) = cameras_by_row(write(tmp_path, text, "c.csv"))
    assert (row, error.row) == (3, 5), "the heading is row 1, an empty row is a row"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=r"nowhere\.yaml: No such file"):
        read_cameras(tmp_path / "nowhere.yaml")


def test_two_thousand_rows_are_read_in_a_moment(tmp_path: Path) -> None:
    lines = ["id,name,url,watch,every_s,lon,lat"]
    lines += [f"c{i},camera {i},rtsp://admin:pw@10.0.{i % 250}.5/ch{i},stay,10,118.1,24.5" for i in range(2000)]
    rows, errors = read_cameras(write(tmp_path, "\n".join(lines), "cameras.csv"))
    assert (len(rows), errors) == (2000, [])


def test_platforms_and_presets(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text("""
- {id: a, url: "rtsp://h/x", platform: nvr-1, preset: north, goto: "PUT http://u:pw123@h/goto/1", settle_s: 0}
- {id: b, url: "rtsp://h/x"}
- {id: c, url: "rtsp://h/x", goto: "POST http://u:pw123@h/goto/1"}
- {id: d, url: "rtsp://h/x", settle_s: 61}
""")
    cameras, errors = read_cameras(path)
    assert [(c.platform, c.goto, c.settle_s) for c in cameras] == [
        ("nvr-1", "PUT http://u:pw123@h/goto/1", 0.0),
        ("", "", 4.0),
    ]
    assert "pw123" not in repr(cameras)
    assert [(e.row, e.key) for e in errors] == [(3, "goto"), (4, "settle_s")]
    assert "pw123" not in str(errors[0])
    assert "PUT" in str(errors[0])
