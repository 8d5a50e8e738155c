"""SensorThings 1.1 as other systems read it: by frost_sta_client as it comes from PyPI, and request by request."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import frost_sta_client as fsc
import geojson
import pytest
from shapely.geometry import Polygon
from sqlalchemy import Engine, event

from hub.domain.role import Role
from hub.people import keep_token
from hub.store import Transaction, observation_queries
from ingest.device import Place, Sensor

from .conftest import City, jpeg

# The client's own parts say that they are old.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:furl", "ignore::DeprecationWarning:frost_sta_client"
)
TOKEN = "reader-token-of-another-system"


@pytest.fixture
def city(city: City) -> City:
    """Two bins and a door with some readings; one device that nobody registered."""
    city.hub.registry.import_sensors(
        [
            Sensor("bin-2", "二号桶", "bin-8", "bin_level", place=Place(107.6512345678, 35.73, "南大街2号"),
                   asset="62100203005000457", installed_on="2026-10-01"),
            Sensor("door-1", "配电箱", "cab/1", "door"),
        ]
    )  # fmt: skip
    with city.hub.house.db.write() as tx:
        keep_token(tx, "other", Role.READER, TOKEN, city.clock())
    start = city.clock() - timedelta(hours=2)
    rows = []
    for device, prop, unit, values in (
        ("bin-7", "fill_pct", "%", [10 * i for i in range(10)]),
        ("bin-7", "temperature", "degC", [4.5, 5.0]),
        ("bin-8", "fill_pct", "%", [55]),
        ("cab/1", "open", "", [0, 1, 0]),
        ("nobody", "fill_pct", "%", [1]),
    ):
        for i, value in enumerate(values):
            at = (start + timedelta(minutes=10 * i)).isoformat()
            rows.append({"device": device, "prop": prop, "value": value, "unit": unit, "observed_at": at,
                         "received_at": at, "key": f"{device}{prop}{i}"})  # fmt: skip
    assert city.who("worker").post("/api/readings", json={"readings": rows}).status_code == 200
    return city


def get(city: City, path: str, status: int = 200) -> Any:
    answer = city.who("eng").get(path if path.startswith("http") else f"/sta/v1.1/{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.fixture
def service(city: City) -> Iterator[Any]:
    """The client, unmodified; it signs in with HTTP Basic, so the token stands in the place of a password."""
    login = fsc.AuthHandler(username="other", password=TOKEN)
    return fsc.SensorThingsService(f"{city.url}/sta/v1.1", auth_handler=login)


def test_an_unmodified_client_reads_things_and_their_observations(service: Any) -> None:
    things = service.things().query().orderby("name", "asc").count().list()
    assert things.count == 3
    thing = service.things().find("bin-2")
    assert (thing.name, thing.properties["asset"]) == ("二号桶", "62100203005000457")
    location = thing.get_locations().query().list().get(0)
    assert location.location["coordinates"] == [107.6512346, 35.73]
    bin_7 = service.things().find("s1")
    streams = {s.name: s for s in bin_7.get_datastreams().query().list()}
    assert set(streams) == {"垃圾桶 7 fill_pct", "垃圾桶 7 temperature"}
    stream = streams["垃圾桶 7 fill_pct"]
    assert stream.unit_of_measurement.symbol == "%"
    observations = stream.get_observations().query().orderby("phenomenonTime", "desc").top(3).list()
    assert [o.result for o in observations.entities] == [90, 80, 70]
    high = stream.get_observations().query().filter("result gt 65").count().list()
    assert high.count == 3
    assert sorted(o.result for o in high.entities) == [70, 80, 90]


def test_the_client_follows_next_links_to_the_end(service: Any) -> None:
    stream = service.things().find("s1").get_datastreams().query().filter("name eq '垃圾桶 7 fill_pct'").list().get(0)
    every = list(stream.get_observations().query().top(4).list())
    assert [o.result for o in every] == [10 * i for i in range(10)]


def test_the_client_expands_what_hangs_together(service: Any) -> None:
    wanted = "Datastreams($expand=Observations($top=1;$orderby=phenomenonTime desc),ObservedProperty),Locations"
    thing = service.things().query().filter("id eq 's1'").expand(wanted).list().get(0)
    by_prop = {s.observed_property.name: s.observations.entities[0].result for s in thing.datastreams}
    assert by_prop == {"fill_pct": 90, "temperature": 5.0}


def test_a_reader_sees_sensors_and_nothing_else(city: City) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    nobody = city.who("nobody")
    assert nobody.get("/sta/v1.1/Things", headers=headers).status_code == 200
    for path, status in (("/api/alerts", 403), ("/api/cases", 403), ("/api/users", 403)):
        assert nobody.get(path, headers=headers).status_code == status
    taken = {"X-Captured-At": city.clock().isoformat()}
    assert city.who("worker").put("/api/cameras/c1/look", content=jpeg(), headers=taken).status_code == 200
    assert city.who("wang").get("/api/cameras/c1/look").status_code == 200
    for path in ("look", "looks/1"):
        assert nobody.get(f"/api/cameras/c1/{path}", headers=headers).status_code == 403
    assert nobody.get("/sta/v1.1/Things").status_code == 401
    assert nobody.get("/sta/v1.1/Things", auth=("other", "wrong")).status_code == 401


def test_the_root_names_the_eight_sets(city: City) -> None:
    root = get(city, "")
    assert [s["name"] for s in root["value"]] == [
        "Things", "Locations", "HistoricalLocations", "Datastreams", "Sensors", "ObservedProperties", "Observations",
        "FeaturesOfInterest",
    ]  # fmt: skip
    for entry in root["value"]:
        (first, *_) = get(city, entry["url"])["value"]
        again = get(city, first["@iot.selfLink"])
        assert again["@iot.id"] == first["@iot.id"]
        for name in [n for n in first if n.endswith("@iot.navigationLink")]:
            related = get(city, first[name])
            assert "value" in related or "@iot.id" in related, name


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("Things?$filter=name eq '二号桶'", ["bin-2"]),
        ("Things?$filter=properties/profile eq 'bin_level' and not (id eq 's1')", ["bin-2"]),
        ("Things?$filter=substringof('桶', name)&$orderby=id desc", ["s1", "bin-2"]),
        ("Things?$filter=startswith(name,'垃圾') or endswith(name,'箱')&$orderby=name", ["s1", "door-1"]),
        ("Things?$orderby=name&$skip=1&$top=1", ["s1"]),
        ("Locations?$filter=geo.distance(location, geography'POINT (107.64 35.73)') lt 0.001", ["s1"]),
        ("Locations?$filter=st_within(location, geography'POLYGON ((107 35, 107.645 35, 107.645 36, 107 36, 107 35))')",
         ["s1"]),
        ("Locations('s1')/Things", ["s1"]),
        ("HistoricalLocations?$filter=time lt 2026-11-01T00:00:00Z and time gt 2026-01-01T00:00:00Z", ["bin-2"]),
        ("Sensors('door')/Datastreams/$ref", None),
        ("ObservedProperties?$filter=name eq 'open'", ["open"]),
        ("Datastreams?$filter=Thing/name eq '二号桶'&$select=id", None),
        ("ObservedProperties('fill_pct')/Datastreams?$filter=Sensor/id eq 'bin_level'&$count=true", None),
    ],
)  # fmt: skip
def test_queries(city: City, path: str, ids: list[str] | None) -> None:
    found = get(city, path)["value"]
    if ids is None:
        assert found
    else:
        assert [e["@iot.id"] for e in found] == ids


def test_observations_by_time_value_and_stream(city: City) -> None:
    (stream,) = get(city, "Things('s1')/Datastreams?$filter=name eq '垃圾桶 7 fill_pct'")["value"]
    begin, end = stream["phenomenonTime"].split("/")
    assert begin < end
    number = stream["@iot.id"]
    middle = (city.clock() - timedelta(minutes=75)).isoformat().replace("+00:00", "Z")
    for path, results in (
        (f"Datastreams({number})/Observations?$filter=phenomenonTime gt {middle}&$orderby=phenomenonTime asc",
         [50, 60, 70, 80, 90]),
        (f"Datastreams({number})/Observations?$filter=phenomenonTime le {middle} and result mod 20 eq 0", [0, 20, 40]),
        (f"Observations?$filter=Datastream/id eq {number} and result ge 80&$orderby=result desc", [90, 80]),
        (f"Observations?$filter=Datastream/@iot.id eq {number}&$top=2", [0, 10]),
        ("Observations?$filter=Datastream/Thing/name eq '垃圾桶 7' and result lt 6&$orderby=result", [0, 4.5, 5]),
        ("Observations?$filter=minute(phenomenonTime) eq 77", []),
    ):  # fmt: skip
        assert [o["result"] for o in get(city, path)["value"]] == results, path
    counted = get(city, "Observations?$count=true&$top=0")
    assert counted["@iot.count"] == 16, "those of strangers are not told"
    one = get(city, f"Datastreams({number})/Observations?$top=1")["value"][0]
    assert get(city, f"Observations('{one['@iot.id']}')")["result"] == 0
    assert get(city, f"Observations('{one['@iot.id']}')/FeatureOfInterest")["@iot.id"] == "s1"
    assert get(city, f"Observations('{one['@iot.id']}')/Datastream/Thing/name") == {"name": "垃圾桶 7"}
    value = city.who("eng").get(f"/sta/v1.1/Datastreams({number})/unitOfMeasurement/symbol/$value")
    assert value.text == "%"


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("Cameras", 404, "there are Things"),
        ("Things('nobody')", 404, "there is none"),
        ("Things('s1')/colour", 404, "no 'colour'"),
        ("Datastreams(99999)", 404, "there is none"),
        ("Things?$filter=colour eq 3", 400, "no such property"),
        ("Things?$filter=name eq", 400, "$filter"),
        ("Things?$filter=name gt 3 and year(name) eq 3", 400, "$filter"),
        ("Things?$top=many", 400, "$top"),
        ("Things?$sort=name", 400, "$sort: no such option"),
        ("Things?$orderby=name up", 400, "$orderby"),
        ("Things?$expand=Cases", 400, "$expand"),
        ("Things?$expand=Datastreams($top=1", 400, "not closed"),
        ("Things?$select=colour", 400, "$select"),
        ("Things?$filter=" + "(" * 2000, 400, "$filter"),
    ],
)
def test_what_cannot_be_answered_says_why(city: City, path: str, status: int, said: str) -> None:
    error = get(city, path, status)
    assert (error["code"], error["type"]) == (status, "error")
    assert said in error["message"]


def test_nothing_is_written_through_it(city: City) -> None:
    assert city.who("eng").post("/sta/v1.1/Things", json={"name": "x"}).status_code == 501


def test_select_and_expand_shape_the_answer(city: City) -> None:
    (thing,) = get(city, "Things?$filter=id eq 'bin-2'&$select=name,id&$expand=Locations($select=location)")["value"]
    assert set(thing) == {"@iot.id", "name", "Locations"}
    assert set(thing["Locations"][0]) == {"location"}
    both = get(city, "Things('s1')?$expand=Datastreams/Sensor,Datastreams/ObservedProperty")
    assert {(s["Sensor"]["@iot.id"], s["ObservedProperty"]["name"]) for s in both["Datastreams"]} == {
        ("bin_level", "fill_pct"), ("bin_level", "temperature"),
    }  # fmt: skip


# --- GeoJSON and CSV --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "spans"),
    [
        ("Datastreams?$top=1", 1),
        ("Datastreams?$top=2&$skip=1&$orderby=name desc", 2),
        ("Datastreams?$select=name", 0),
        ("Datastreams?$filter=properties/prop eq 'fill_pct'&$top=1", 1),
        ("Observations?$filter=Datastream/name ne 'x'&$top=3", 0),
        ("Datastreams?$orderby=phenomenonTime desc&$top=1&$select=id", 4),
    ],
)
def test_only_what_is_told_is_asked_of_the_readings(
    city: City, path: str, spans: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time that a datastream spans costs two questions of every day of readings, or more."""
    asked: list[int] = []
    span = observation_queries.span

    def counted(tx: Transaction, number: int, since_us: int, until_us: int) -> tuple[int, int] | None:
        asked.append(number)
        return span(tx, number, since_us, until_us)

    monkeypatch.setattr(observation_queries, "span", counted)
    assert get(city, path)["value"]
    assert len(asked) == spans


def test_a_page_of_datastreams_takes_as_many_questions_however_many_sensors_there_are(city: City) -> None:
    questions: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        questions.append(statement)

    def asked() -> int:
        """By the page alone: what the hub asks beside it (timers, roll-ups of new readings) only adds."""
        found = []
        for _ in range(4):
            questions.clear()
            assert len(get(city, "Datastreams?$top=1")["value"]) == 1
            found.append(len(questions))
        return min(found)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        few = asked()
        city.hub.registry.import_sensors(Sensor(f"b-{n}", "桶", f"dev-{n}", "bin_level") for n in range(20))
        at = city.clock().isoformat()
        row = {"prop": "fill_pct", "value": 1, "unit": "%", "observed_at": at, "received_at": at, "key": "k"}
        rows = [{**row, "device": f"dev-{n}"} for n in range(20)]
        assert city.who("worker").post("/api/readings", json={"readings": rows}).status_code == 200
        assert asked() == few
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("layer", ["sensors", "cameras", "cases", "grids"])
def test_layers_are_geojson(city: City, layer: str) -> None:
    city.case()
    square = [[107.6, 35.7], [107.6, 35.8], [107.7, 35.8], [107.7, 35.7], [107.6, 35.7]]
    area = {"type": "Polygon", "coordinates": [square]}
    feature = {"type": "Feature", "geometry": area, "properties": {"id": "621002", "name": "区", "level": "district"}}
    city.hub.registry.import_grids({"type": "FeatureCollection", "features": [feature]})
    answer = city.who("boss").get(f"/api/geojson/{layer}")
    assert answer.headers["content-type"] == "application/geo+json"
    read = geojson.loads(answer.text)
    assert read.is_valid, read.errors()
    assert read["features"]
    assert "crs" not in read
    for one in read["features"]:
        if one["geometry"]["type"] == "Point":
            lon, lat = one["geometry"]["coordinates"]
            assert 107 < lon < 108
            assert 35 < lat < 36
        else:
            assert Polygon(one["geometry"]["coordinates"][0]).exterior.is_ccw


def test_a_department_sees_no_sensors_on_its_map(city: City) -> None:
    assert city.who("huan").get("/api/geojson/sensors").status_code == 403
    assert city.who("huan").get("/api/geojson/cases").status_code == 200
    assert city.who("eng").get("/api/geojson/roads").status_code == 404


def test_readings_as_csv(city: City) -> None:
    span = {"since": (city.clock() - timedelta(days=1)).isoformat(), "until": city.clock().isoformat()}
    answer = city.who("eng").get("/api/readings.csv", params=span | {"sensor": "s1"})
    assert answer.status_code == 200, answer.text
    assert answer.text.startswith("\ufeffsensor,")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == 12
    assert (rows[0]["sensor"], rows[0]["device"], rows[0]["unit"]) == ("s1", "bin-7", "%")
    every = city.who("eng").get("/api/readings.csv", params=span)
    assert len(every.text.splitlines()) == 1 + 16
    assert city.who("eng").get("/api/readings.csv", params=span | {"sensor": "x"}).status_code == 404


def test_trends_of_many_sensors_at_once(city: City) -> None:
    items = get(city, f"{city.url}/api/readings/trends?sensors=s1,bin-2,door-1,nobody")["items"]
    assert items["s1"] == {"prop": "fill_pct", "points": [10 * i for i in range(10)]}
    assert items["door-1"]["points"] == [0, 1, 0]
    assert set(items) == {"s1", "bin-2", "door-1"}
    get(city, f"{city.url}/api/readings/trends?sensors={','.join(map(str, range(101)))}", 422)


def test_an_answer_is_bounded_with_all_that_is_expanded_in_it(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand things with a thousand observations each would fill the hub's memory."""
    path = "Things?$expand=Datastreams($expand=Observations)"
    assert len(get(city, path)["value"]) == 3
    monkeypatch.setattr("hub.sensorthings.answering.SHOWN_MOST", 12)
    answer = get(city, path, 400)
    assert "more than 12 entities" in answer["message"]
    assert len(get(city, "Things?$expand=Datastreams($expand=Observations($top=1))")["value"]) == 3
