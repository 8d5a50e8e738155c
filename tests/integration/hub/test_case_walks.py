"""One walk over HTTP for each branch of the table of domain.md §4.2, each step by who may do it and nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from .conftest import City, jpeg

OTHERS = ("wang", "shou", "pai", "ban", "lead", "gong", "huan", "wangge", "kao", "ling", "shen", "eng", "zhao")
"""One of each role (and another unit's), each of whom tries what is not his to do.

On PostgreSQL only the last: what a role may is the same code there, what another unit sees is asked of the database.
"""


def walk(city: City, case: str, action: str, *may: str, **body: Any) -> dict[str, Any]:
    """The last of `may` does it, after everybody who may not has tried."""
    for user in OTHERS if city.hub.settings.database.startswith("sqlite") else OTHERS[-1:]:
        if user not in may:
            answer = city.who(user).post(f"/api/cases/{case}/{action}", json=body)
            assert answer.status_code in (403, 404), (user, action, answer.status_code, answer.text)
    return city.move(may[-1], case, action, **body)


CENTRE = ("wang", "ban")
ACCEPTS = (*CENTRE, "shou")
DISPATCHES = (*CENTRE, "pai")
UNIT = ("huan", "lead", "gong")
LEADS = ("huan", "lead")


def dispatched(city: City, **report: Any) -> str:
    """A report that is filed and dispatched to the sanitation centre."""
    case = str(city.report(**report)["case"]["id"])
    assert city.move("shou", case, "file")["state"] == "dispatched"
    return case


def handling(city: City, **report: Any) -> str:
    case = dispatched(city, **report)
    city.move("gong", case, "accept")
    return case


def actions(city: City, case: str) -> list[str]:
    return [line["action"] for line in city.read(case)["history"] if line["action"] != "supervise"]


# --- 上报, 受理 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("user", "status"), [(u, 403) for u in ("pai", "huan", "gong", "kao", "ling", "shen", "eng")])
def test_who_may_not_report(city: City, user: str, status: int) -> None:
    body = {"channel": "hotline", "category": "06010", "description": "x", "address": "y"}
    assert city.who(user).post("/api/cases", json=body).status_code == status


@pytest.mark.parametrize("user", ["wang", "shou", "ban", "wangge"])
def test_reported_verified_filed_dispatched_handled_answered_checked_closed(city: City, user: str) -> None:
    """上报 → 下发核实 → 核实反馈 → 立案 → 派遣 → 签收 → 反馈 → 下发核查 → 核查反馈 → 结案."""
    made = city.report(user, channel="grid_app", reporter={"name": "某人", "phone": "139"})
    case = made["case"]["id"]
    assert (made["outcome"], made["case"]["state"], made["case"]["clock"]["stage"]) == (
        "reported",
        "reported",
        "accept",
    )
    city.clock.forward(minutes=5)
    assert walk(city, case, "verify", *ACCEPTS, assignee="wangge")["clock"]["stage"] == "verify"
    assert city.who("wangge").get("/api/cases").json()["total"] == 1
    city.clock.forward(minutes=20)
    back = walk(city, case, "verified", *ACCEPTS, "wangge", result="present", text="确有垃圾")
    assert (back["state"], back["clock"]["stage"]) == ("reported", "accept")
    # Five of fifteen minutes were used; the twenty of the verification do not count.
    assert back["clock"]["remaining_s"] == 600
    filed = walk(city, case, "file", *ACCEPTS)
    assert (filed["state"], filed["department"]["id"], filed["limit"]) == ("dispatched", "sanitation", "4工作时")
    assert city.read(case, "shou")["reports"][0]["reporter"] == {"name": "某人", "phone": "139"}
    for other in ("gong", "eng", "kao", "ling"):
        assert "reporter" not in city.read(case, other)["reports"][0], other
    walk(city, case, "accept", *UNIT)
    walk(city, case, "feedback", *UNIT, text="已清理")
    walk(city, case, "check", *ACCEPTS, assignee="wangge")
    checked = walk(city, case, "checked", *ACCEPTS, "wangge", result="fixed")
    assert checked["state"] == "checking"
    assert city.read(case)["visits"][-1]["result_name"]["zh"] == "已处置到位"
    closed = walk(city, case, "close", *ACCEPTS, met=True)
    assert (closed["state"], closed["clock"], closed["timed_out"]) == ("closed", None, False)
    clocks = {c["stage"]: c for c in city.read(case)["clocks"]}
    assert list(clocks) == ["accept", "verify", "dispatch", "handle", "check"]
    assert clocks["accept"]["paused_s"] == 1200
    assert all(c["finished_at"] and c["timed_out"] is False for c in clocks.values())


def test_not_filed_and_why(city: City) -> None:
    case = city.report()["case"]["id"]
    assert city.refused("shou", case, "refuse")["field"] == "reason"
    assert walk(city, case, "refuse", *ACCEPTS, reason="不属城市管理")["state"] == "void"
    other = city.report(address="别处", description="y")["case"]["id"]
    city.move("shou", other, "verify")
    assert walk(city, other, "refuse", *ACCEPTS, reason="无法核实")["state"] == "void"
    assert [c["outcome"] for c in city.read(other)["clocks"]] == ["refused", "refused"]


def test_filing_needs_class_condition_grid_and_limit(city: City) -> None:
    case = city.report(category="06047", description="公园秩序")["case"]["id"]
    assert city.refused("shou", case, "file")["field"] == "limit"
    assert city.refused("shou", case, "file", limit="尽快")["field"] == "limit"
    assert city.refused("shou", case, "file", limit="2工作时", department="ghosts")["field"] == "department"
    # An acceptor proposes the unit; a dispatcher dispatches.
    filed = city.move("shou", case, "file", limit="2工作时", department="housing", closing="制止")
    assert (filed["state"], filed["routing"]["proposed"], filed["closing"]) == ("filed", "housing", "制止")
    assert walk(city, case, "dispatch", *DISPATCHES, department="housing")["department"]["id"] == "housing"


def test_of_several_filing_conditions_one_is_chosen(city: City) -> None:
    case = city.report(category="06001", description="楼顶搭建")["case"]["id"]
    several = city.refused("shou", case, "file")
    assert (several["field"], several["allowed"].count("@"), "已经建成" in several["allowed"]) == ("condition", 0, True)
    chosen = next(c.split()[-2] for c in several["allowed"].split(", ") if "已经建成" in c)
    assert city.refused("shou", case, "file", condition="nothing")["field"] == "condition"
    filed = city.move("shou", case, "file", condition=chosen)
    assert (filed["limit"], filed["closing"], filed["condition"]) == ("15工作日", "按程序拆除", chosen)
    assert filed["routing"]["why"]["zh"]


def test_a_case_is_corrected_before_and_after_it_is_filed(city: City) -> None:
    case = city.report()["case"]["id"]
    now = walk(city, case, "correct", *CENTRE, "pai", "shou", category="06011", address="东大街7号")
    assert (now["category"]["name"], now["address"]) == ("积存垃圾渣土", "东大街7号")
    detail = city.read(case)["history"][-1]["detail"]["changed"]
    assert (detail["category_code"], detail["address"]) == ("06010", "东大街5号")
    assert city.refused("shou", case, "correct", category="99999")["field"] == "category"


# --- 派遣, 退回, 转办 -----------------------------------------------------------------------------------------------


def test_a_returned_case_can_only_be_corrected_or_forwarded(city: City) -> None:
    for accepted in (False, True):
        case = dispatched(city, address=f"{accepted}", description="x")
        if accepted:
            city.move("gong", case, "accept")
        city.clock.forward(minutes=30)
        back = walk(city, case, "return", *LEADS, reason="不属本单位")
        assert (back["state"], back["clock"]["stage"], back["clock_running"]) == ("filed", "dispatch", False)
        for action, body in (("close", {}), ("check", {}), ("feedback", {"text": "x"}), ("rework", {"reason": "x"})):
            assert city.refused("boss", case, action, **body)["type"] == "illegal-move"
        again = city.move("pai", case, "dispatch", department="sanitation")
        assert again["used_pct"] == 12.5
        city.move("lead", case, "return", reason="不属本单位")
        assert walk(city, case, "dispatch", *DISPATCHES, department="street_office")["used_pct"] == 0.0
        stays = [c for c in city.read(case)["clocks"] if c["stage"] == "handle"]
        assert [(c["department"]["id"], c["outcome"]) for c in stays] == [
            ("sanitation", "returned"),
            ("street_office", None),
        ]


def test_a_returned_case_of_the_wrong_class_is_corrected_to_another(city: City) -> None:
    """The condition that it was filed under is one of the old class: it goes with it."""
    case = dispatched(city)
    assert city.read(case)["condition"]
    city.move("lead", case, "return", reason="类别不对")
    now = city.move("pai", case, "correct", category="06011")
    assert (now["category"]["code"], now["limit"]) == ("06011", "5工作日")
    several = city.refused("pai", case, "correct", category="06001")
    assert (several["field"], "已经建成" in several["allowed"]) == ("condition", True)
    chosen = next(c.split()[-2] for c in several["allowed"].split(", ") if "已经建成" in c)
    assert city.move("pai", case, "correct", category="06001", condition=chosen)["limit"] == "15工作日"
    # A class that no rule knows has no condition; its limit is said with it.
    bare = city.move("pai", case, "correct", category="06047", limit="2工作时")
    assert (bare["condition"], bare["limit"]) == (None, "2工作时")
    assert city.move("pai", case, "dispatch", department="housing")["clock"]["limit"] == "2工作时"


def test_a_transfer_needs_the_dispatchers_consent(city: City) -> None:
    case = handling(city)
    started = city.read(case)["clocks"][-1]["started_at"]
    city.clock.forward(minutes=30)
    asked = walk(city, case, "transfer", *LEADS, department="enforcement", reason="属执法范围")
    assert (asked["state"], asked["requests"][-1]["state"]) == ("handling", "asked")
    assert city.refused("lead", case, "extend", reason="x")["why"] == "pending_request"
    assert [r["yours"] for r in city.who("pai").get("/api/cases/requests?mine=true").json()["items"]] == [True]
    assert city.who("shou").get("/api/cases/requests?mine=true").json()["items"] == []
    moved = walk(city, case, "consent", *DISPATCHES)
    assert (moved["state"], moved["department"]["id"], moved["used_pct"]) == ("dispatched", "enforcement", 0.0)
    stays = [c for c in moved["clocks"] if c["stage"] == "handle"]
    assert (stays[0]["started_at"], stays[0]["used_s"], stays[0]["outcome"]) == (started, 1800, "transferred")
    assert city.who("huan").get(f"/api/cases/{case}").status_code == 404
    assert city.who("zhao").get(f"/api/cases/{case}").status_code == 200


def test_a_transfer_that_is_denied_or_taken_back_changes_nothing(city: City) -> None:
    case = handling(city)
    city.move("lead", case, "transfer", department="enforcement", reason="x")
    assert city.refused("pai", case, "deny")["field"] == "reason"
    walk(city, case, "deny", *DISPATCHES, reason="属你单位")
    city.clock.forward(minutes=1)
    city.move("lead", case, "transfer", department="enforcement", reason="x")
    city.move("lead", case, "take_back")
    now = city.read(case)
    assert (now["state"], now["department"]["id"]) == ("handling", "sanitation")
    assert [r["state"] for r in now["requests"]] == ["denied", "taken_back"]
    assert city.refused("pai", case, "consent")["why"] == "no_request"
    assert city.refused("lead", case, "transfer", department="sanitation", reason="x")["field"] == "department"


def test_a_request_that_the_case_has_overtaken_lapses(city: City) -> None:
    case = handling(city)
    city.move("gong", case, "extend", reason="量大")
    city.move("gong", case, "feedback", text="已清理")
    assert city.read(case)["requests"][-1]["state"] == "lapsed"
    assert city.refused("pai", case, "consent")["why"] == "no_request"


# --- 挂账, 延期 -----------------------------------------------------------------------------------------------------


def test_a_suspension_takes_two_consents_and_ends_by_itself(city: City) -> None:
    case = handling(city)
    city.clock.forward(hours=1)
    until = city.clock() + timedelta(days=3)
    assert city.refused("lead", case, "suspend", reason="待审批")["field"] == "until"
    late = (city.clock() + timedelta(days=366)).isoformat()
    assert city.refused("lead", case, "suspend", reason="待审批", until=late)["field"] == "until"
    walk(city, case, "suspend", *LEADS, reason="待审批", until=until.isoformat())
    assert walk(city, case, "consent", *DISPATCHES)["state"] == "handling"
    now = walk(city, case, "consent", *CENTRE)
    assert (now["state"], now["suspended_until"], now["clock_running"]) == ("suspended", until.isoformat(), False)
    city.clock.forward(days=1)
    assert city.sweep() == 0
    city.clock.forward(days=4)  # the hub was away for two days after the suspension ended
    assert city.sweep() >= 1
    back = city.read(case)
    assert (back["state"], back["suspended_until"]) == ("handling", None)
    # Three hours were left on Thursday 11:00: one before lunch, two after it.
    assert back["deadline"] == "2026-11-26T08:00:00+00:00"
    assert actions(city, case)[-2:] == ["resume", "overdue"]
    assert city.refused("lead", case, "suspend", reason="再次", until=late)["why"] == "used_up"


def test_a_suspension_is_ended_early_by_the_department(city: City) -> None:
    case = handling(city)
    until = (city.clock() + timedelta(days=30)).isoformat()
    city.move("lead", case, "suspend", reason="待审批", until=until)
    city.move("pai", case, "consent")
    city.move("ban", case, "consent")
    city.clock.forward(days=1)
    back = walk(city, case, "resume", *LEADS)
    assert (back["state"], back["deadline"]) == ("handling", "2026-11-24T08:00:00+00:00")
    city.clock.forward(days=60)
    city.sweep()
    assert actions(city, case)[-1] == "overdue"


def test_a_suspension_whose_time_is_over_is_not_granted_any_more(city: City) -> None:
    """The clock would stop now and go on from before: the hours between would count twice."""
    case = handling(city)
    until = city.clock() + timedelta(hours=1)
    city.move("lead", case, "suspend", reason="待审批", until=until.isoformat())
    city.move("pai", case, "consent")
    city.clock.forward(hours=2)
    assert city.refused("ban", case, "consent")["why"] == "until_over"
    city.sweep()
    now = city.read(case)
    assert (now["state"], now["deadline"]) == ("handling", "2026-11-23T08:00:00+00:00")
    city.move("ban", case, "deny", reason="已过期")
    later = city.clock() + timedelta(days=1)
    assert (
        city.move("lead", case, "suspend", reason="待审批", until=later.isoformat())["requests"][-1]["state"] == "asked"
    )


def test_an_extension_adds_one_limit_twice_at_most_and_never_when_overdue(city: City) -> None:
    case = handling(city)
    assert city.read(case)["deadline"] == "2026-11-23T08:00:00+00:00"
    walk(city, case, "extend", *UNIT, reason="量大")  # by a handler: the head of the unit consents first
    walk(city, case, "consent", *LEADS)
    assert walk(city, case, "consent", *DISPATCHES)["deadline"] == "2026-11-24T02:00:00+00:00"
    city.move("lead", case, "extend", reason="量大")  # by the head: his consent is given by asking
    city.move("pai", case, "deny", reason="不必")
    city.move("lead", case, "extend", reason="量大")
    assert city.move("pai", case, "consent")["deadline"] == "2026-11-24T08:00:00+00:00"
    assert city.refused("lead", case, "extend", reason="量大")["why"] == "used_up"
    other = handling(city, address="别处", description="x")
    city.clock.forward(days=2)
    assert city.refused("lead", other, "extend", reason="量大")["why"] == "overdue"


# --- 反馈, 核查, 返工, 结案 -----------------------------------------------------------------------------------------


def test_an_answer_needs_words_or_a_photo_and_comes_once(city: City) -> None:
    case = handling(city)
    assert city.refused("gong", case, "feedback")["field"] == "text"
    parts = [("photos:after", ("a.jpg", jpeg(7), "image/jpeg"))]
    answer = city.who("gong").post(f"/api/cases/{case}/feedback", data={"lon": "107.64", "lat": "35.73"}, files=parts)
    assert answer.status_code == 200, answer.text
    photo = answer.json()["evidence"][-1]
    assert (photo["role"], photo["photo_type"]) == ("photo", "after")
    twice = city.refused("huan", case, "feedback", text="已清理")
    assert (twice["type"], twice["state"]) == ("illegal-move", "feedback")
    assert actions(city, case).count("feedback") == 1


def test_rework_goes_back_to_the_same_department_with_what_was_left(city: City) -> None:
    case = handling(city)
    city.clock.forward(hours=1)
    city.move("gong", case, "feedback", text="已清理")
    assert city.refused("shou", case, "rework")["field"] == "reason"
    again = walk(city, case, "rework", *CENTRE, "shou", "pai", reason="仍有垃圾")
    assert (again["state"], again["rework_count"], again["used_pct"]) == ("dispatched", 1, 25.0)
    city.move("gong", case, "accept")
    city.move("gong", case, "feedback", text="再次清理")
    city.move("shou", case, "check")
    assert walk(city, case, "rework", *CENTRE, "pai", "shou", reason="还有")["rework_count"] == 2
    runs = [(c["outcome"], c["timed_out"]) for c in city.read(case)["clocks"] if c["stage"] == "handle"]
    assert runs == [("answered", False), ("answered", False), (None, None)]


def test_a_rework_calls_off_whoever_was_sent_to_look(city: City) -> None:
    case = handling(city)
    city.move("gong", case, "feedback", text="已清理")
    city.move("shou", case, "check", assignee="wangge")
    city.move("shou", case, "rework", reason="照片里仍有")
    city.move("gong", case, "accept")
    city.move("gong", case, "feedback", text="再次清理")
    assert [v["state"] for v in city.read(case)["visits"]] == ["called_off"]
    city.clock.forward(minutes=1)
    city.move("shou", case, "check", assignee="wangge")
    city.move("wangge", case, "checked", result="fixed")
    assert [(v["state"], v["result"]) for v in city.read(case)["visits"]] == [("called_off", None), ("done", "fixed")]


def test_an_order_that_names_the_case_by_its_number_is_done_once_too(city: City) -> None:
    case = handling(city)
    number = city.read(case)["number"]
    city.move("gong", case, "feedback", text="已清理")
    city.move("shou", case, "check")
    for name in (number, number, case):
        city.move("shou", name, "checked", result="unclear", request_id="once")
    assert actions(city, case).count("checked") == 1


def test_more_photos_than_are_kept_are_refused_and_nothing_is_done(city: City) -> None:
    case = handling(city)
    parts = [("photos:after", (f"{n}.jpg", jpeg(n), "image/jpeg")) for n in range(10)]
    answer = city.who("gong").post(f"/api/cases/{case}/feedback", data={"text": "已清理"}, files=parts)
    assert (answer.status_code, answer.json()["field"]) == (422, "photos")
    assert city.read(case)["state"] == "handling"
    answer = city.who("gong").post(f"/api/cases/{case}/feedback", data={"text": "已清理"}, files=parts[:9])
    assert (answer.status_code, len(answer.json()["evidence"])) == (200, 9)


def test_closing_needs_its_condition(city: City) -> None:
    case = handling(city)
    city.move("gong", case, "feedback", text="已清理")
    not_met = city.refused("shou", case, "close", met=False)
    assert (not_met["type"], not_met["why"], not_met["closing"]) == ("barred", "not_met", "清理")
    assert walk(city, case, "close", *ACCEPTS, met=True)["state"] == "closed"


def test_void_by_the_shift_leader_and_closed_by_order_of_a_leader(city: City) -> None:
    def in_state(state: str) -> str:
        case = str(city.report(address=state, description=state)["case"]["id"])
        steps: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("shou", "file", {}),
            ("gong", "accept", {}),
            ("gong", "feedback", {"text": "x"}),
            ("shou", "check", {}),
        )
        if state == "verifying":
            city.move("shou", case, "verify")
        if state == "suspended":
            for user, action, body in steps[:2]:
                city.move(user, case, action, **body)
            until = (city.clock() + timedelta(days=3)).isoformat()
            city.move("lead", case, "suspend", reason="x", until=until)
            city.move("pai", case, "consent")
            city.move("ban", case, "consent")
        order = ("dispatched", "handling", "feedback", "checking")
        for user, action, body in steps[: order.index(state) + 1] if state in order else ():
            city.move(user, case, action, **body)
        if state == "filed":
            city.move("shou", case, "file")
            city.move("lead", case, "return", reason="x")
        assert city.read(case)["state"] == state
        return case

    for state in ["reported", "verifying", "filed", "dispatched", "handling", "suspended", "feedback", "checking"]:
        case = in_state(state)
        assert walk(city, case, "void", *CENTRE, reason="误报")["state"] == "void"
        again = in_state(state)
        forced = walk(city, again, "force_close", "ling", reason="区领导批示")
        assert (forced["state"], forced["forced_close"]) == ("closed", True)
        assert [c for c in city.read(again)["clocks"] if not c["finished_at"]] == []
    assert city.who("boss").get("/api/cases?flags=forced_close").json()["total"] == 8


# --- 重启, 申诉 -----------------------------------------------------------------------------------------------------


def closed(city: City, **report: Any) -> str:
    case = handling(city, **report)
    city.move("gong", case, "feedback", text="已清理")
    city.move("shou", case, "close", met=True)
    return case


def test_reopening_makes_a_new_case_that_is_linked(city: City) -> None:
    case = closed(city)
    old = walk(city, case, "reopen", *ACCEPTS, reason="群众反映仍有")
    assert old["state"] == "closed"
    link = old["links"][0]
    assert (link["relation"], link["direction"], link["case"]["state"]) == ("reopened_from", "from", "reported")
    new = city.read(link["case"]["id"])
    assert (new["category"]["code"], new["address"], new["clock"]["stage"]) == ("06010", "东大街5号", "accept")
    assert new["links"][0]["direction"] == "to"
    assert city.refused("shou", case, "reopen", reason="x")["why"] == "reopened"
    other = closed(city, address="别处", description="x")
    city.clock.forward(days=8)
    assert city.refused("shou", other, "reopen", reason="x")["why"] == "window_over"


def test_an_appeal_exempts_from_the_timeout_and_the_page_says_that_it_was(city: City) -> None:
    case = handling(city)
    city.clock.forward(days=1)
    city.sweep()
    city.move("gong", case, "feedback", text="已清理")
    assert city.refused("lead", case, "appeal", reason="x")["type"] == "illegal-move"
    city.move("shou", case, "close", met=True)
    assert city.read(case)["timed_out"]
    walk(city, case, "appeal", *LEADS, reason="道路封闭，无法进入")
    assert walk(city, case, "consent", *DISPATCHES)["timeout_exempt"] is False
    done = walk(city, case, "consent", *ACCEPTS)
    assert (done["timed_out"], done["timeout_exempt"], done["state"]) == (True, True, "closed")
    assert [c["exempt"] for c in done["clocks"] if c["stage"] == "handle"] == [True]
    assert city.refused("lead", case, "appeal", reason="再")["why"] == "used_up"
    assert (
        city.refused("lead", closed(city, address="别处", description="x"), "appeal", reason="x")["why"]
        == "not_timed_out"
    )


# --- 会办 -----------------------------------------------------------------------------------------------------------


def test_joint_units_answer_for_themselves_and_the_lead_after_them(city: City) -> None:
    case = handling(city)
    city.clock.forward(hours=1)
    walk(city, case, "join", *DISPATCHES, department="enforcement", text="协助取缔")
    assert city.refused("pai", case, "join", department="sanitation", text="x")["field"] == "department"
    assert city.refused("pai", case, "join", department="enforcement", text="x")["type"] == "illegal-move"
    part = city.read(case, "zhao")["parts"][0]
    # The assistant's clock begins when it is called, not when the lead's did.
    assert (part["state"], part["deadline"]) == ("dispatched", "2026-11-23T09:00:00+00:00")
    assert city.refused("zhao", case, "transfer", department="fire", reason="x")["type"] == "forbidden"
    waits = city.refused("gong", case, "feedback", text="已清理")
    assert (waits["why"], waits["units"]) == ("parts_open", ["enforcement"])
    assert [a["action"] for a in city.read(case, "zhao")["actions"]] == ["accept", "return"]
    city.move("zhao", case, "accept")
    city.clock.forward(hours=3)
    city.move("zhao", case, "feedback", text="已取缔")
    assert city.move("gong", case, "feedback", text="已清理")["state"] == "feedback"
    clocks = [(c["part"] is not None, c["outcome"], c["timed_out"]) for c in city.read(case)["clocks"]]
    assert clocks[2:4] == [(False, "answered", False), (True, "answered", False)]


def test_the_lead_may_answer_without_them_when_it_says_why(city: City) -> None:
    case = handling(city)
    city.move("pai", case, "join", department="enforcement", text="协助")
    city.move("zhao", case, "return", reason="不属本单位")
    assert city.read(case)["parts"][0]["state"] == "returned"
    city.move("pai", case, "join", department="enforcement", text="确属")
    now = city.move("gong", case, "feedback", text="已清理", reason="会办单位未到场，已自行处置")
    assert (now["state"], now["joint"]) == ("feedback", True)
    city.move("shou", case, "close", met=True)
    assert city.read(case)["parts"][0]["state"] == "ended"


def test_an_assistant_that_gets_the_whole_case_assists_no_more(city: City) -> None:
    case = handling(city)
    city.move("pai", case, "join", department="enforcement", text="协助取缔")
    city.move("zhao", case, "accept")
    city.move("lead", case, "return", reason="不属本单位")
    now = city.move("pai", case, "dispatch", department="enforcement")
    assert [(p["state"], p["open"]) for p in now["parts"]] == [("ended", False)]
    assert [c["part"] for c in now["clocks"] if c["stage"] == "handle" and c["finished_at"] is None] == [None]
    city.move("zhao", case, "accept")
    # It owes nobody a reason for not having waited for itself.
    assert city.move("zhao", case, "feedback", text="已取缔")["state"] == "feedback"
    city.move("pai", case, "rework", reason="仍有")
    city.move("zhao", case, "return", reason="属环卫")
    city.move("pai", case, "dispatch", department="sanitation")
    again = city.move("pai", case, "join", department="enforcement", text="协助")
    assert [(p["state"], p["open"]) for p in again["parts"]] == [("dispatched", True)]
    asked = city.move("lead", case, "transfer", department="enforcement", reason="属执法")
    assert asked["parts"][0]["open"]
    assert city.move("pai", case, "consent")["parts"][0]["state"] == "ended"


# --- 并案, 复发 -----------------------------------------------------------------------------------------------------


def test_the_same_problem_reported_again_is_evidence_of_the_open_case(city: City) -> None:
    first = city.report(lon=107.64, lat=35.73)
    case = first["case"]["id"]
    again = city.report("wangge", channel="grid_app", lon=107.6404, lat=35.73, description="又见")  # 36 m away
    assert (again["outcome"], again["case"]["number"]) == ("attached", first["case"]["number"])
    assert set(again["case"]) >= {"id", "number", "state"}
    far = city.report(channel="snapshot", lon=107.6407, lat=35.73)  # 63 m
    other_class = city.report(channel="snapshot", lon=107.64, lat=35.73, category="06011")
    apart = city.report(channel="snapshot", lon=107.64, lat=35.73, separate=True)
    assert [r["outcome"] for r in (far, other_class, apart)] == ["reported"] * 3
    now = city.read(case)
    assert (now["report_count"], [r["channel"] for r in now["reports"]]) == (2, ["hotline", "grid_app"])


def test_a_report_of_what_a_camera_shows_belongs_to_the_case_of_that_camera(city: City) -> None:
    case = city.case(zone="门前")
    again = city.report(camera="c1", description="值班员在画面上看到")
    assert (again["outcome"], again["case"]["number"]) == ("attached", case["number"])
    # Two zones that rules look at stay two problems.
    assert city.case(zone="后门")["id"] != case["id"]


def test_a_report_in_a_grid_that_is_not_there_is_refused(city: City) -> None:
    body = {"channel": "hotline", "category": "06010", "description": "x", "address": "y", "grid": "nowhere"}
    answer = city.who("shou").post("/api/cases", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "grid")


def test_told_twice_is_one_report(city: City) -> None:
    one = city.report(external_id="12345-77", request_id="a")
    for again in (city.report(external_id="12345-77"), city.report(request_id="a", address="elsewhere")):
        assert (again["outcome"], again["case"]["id"]) == ("repeated", one["case"]["id"])


def test_an_alert_near_a_reported_case_is_attached_to_it(city: City) -> None:
    case = city.report(lon=107.64, lat=35.73)["case"]["id"]
    taken = city.post_finding(city.finding(), frame=jpeg(1))
    done = city.who("shou").post(f"/api/alerts/{taken['alert']}/confirm", json={}).json()
    assert (done["attached"], done["case"]["id"], done["case"]["state"]) == (True, case, "reported")
    assert [e["role"] for e in done["case"]["evidence"]] == ["frame"]
    # The place is taken as long as the case is open; the verdict can still be taken back.
    assert city.post_finding(city.finding())["outcome"] == "attached"
    assert city.who("shou").post(f"/api/alerts/{taken['alert']}/undo").status_code == 200
    assert city.read(case)["evidence"] == []
    alone = city.who("shou").post(f"/api/alerts/{taken['alert']}/confirm", json={"separate": True}).json()
    assert (alone["attached"], alone["case"]["state"]) == (False, "dispatched")


def test_two_cases_of_one_problem_are_merged(city: City) -> None:
    one = city.report(lon=107.64, lat=35.73)["case"]
    two = city.report(address="不同写法", description="同一处")["case"]
    merged = walk(city, two["id"], "merge", *ACCEPTS, into=one["number"])
    assert (merged["state"], merged["links"][0]["relation"]) == ("void", "duplicate_of")
    assert len(city.read(one["id"])["reports"]) == 2
    assert city.refused("shou", one["id"], "merge", into=two["number"])["field"] == "into"


def test_what_comes_back_within_seven_days_is_a_recurrence(city: City) -> None:
    case = closed(city, lon=107.64, lat=35.73)
    city.clock.forward(days=6)
    again = city.report(lon=107.64, lat=35.7301)["case"]
    shown = city.read(again["id"])
    assert (shown["recurrence"], shown["links"][0]["relation"], shown["links"][0]["case"]["id"]) == (
        True,
        "recurrence_of",
        case,
    )
    city.move("shou", again["id"], "refuse", reason="x")
    city.clock.forward(days=2)
    assert not city.read(city.report(lon=107.64, lat=35.7301)["case"]["id"])["recurrence"]


# --- what lists show ------------------------------------------------------------------------------------------------


def test_lists_are_filtered_and_paged(city: City) -> None:
    ids = [city.report(address=f"第{n}街", description=f"{n}")["case"]["id"] for n in range(5)]
    city.move("shou", ids[0], "file")

    def listed(query: str, user: str = "shou") -> list[str]:
        answer = city.who(user).get(f"/api/cases?{query}")
        assert answer.status_code == 200, answer.text
        return [c["id"] for c in answer.json()["items"]]

    assert listed("state=dispatched") == [ids[0]]
    assert set(listed("state=reported,dispatched")) == set(ids)
    assert listed("text=第3街") == [ids[3]]
    assert listed("text=100%25") == []
    assert listed("channel=snapshot") == []
    assert set(listed("category=06010&open=true")) == set(ids)
    assert listed("overdue=true") == []
    city.clock.forward(minutes=16)
    assert set(listed("overdue=true")) == set(ids[1:])
    assert listed("flags=urgent") == []
    assert city.who("shou").get("/api/cases?flags=pink").status_code == 422
    assert city.who("shou").get("/api/cases?state=gone").status_code == 422
    first = city.who("shou").get("/api/cases?open=true&limit=3").json()
    second = city.who("shou").get(f"/api/cases?open=true&limit=3&cursor={first['next_cursor']}").json()
    assert {c["id"] for c in first["items"] + second["items"]} == set(ids)
    assert listed("", "gong") == [ids[0]]
    assert city.who("shen").get("/api/cases").status_code == 403
    assert city.who("kao").get("/api/cases").json()["total"] == 5
