"""The data scope of whoever asks: to the grids that a person was given, every question of his request is limited.

One place for all of them: what a request's transactions select of alerts, cases, cameras, sensors and what hangs on
them is narrowed before it reaches the database, so that lists, counts and single rows alike hold nothing else; and
nothing outside can be written. What runs without a request (timers, workers' reports, deliveries) sees everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, event, false, or_, select
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from ..errors import OutsideScope
from .case_rows import CaseRow, ReportRow, RequestRow, VisitRow
from .device_rows import LinkRow, QuarantineRow, SensorNoticeRow, SightRow
from .learning_rows import DriftRow, SightingRow
from .rows import (
    AlertRow,
    CameraRow,
    DepartmentRow,
    GridRow,
    HandoverRow,
    NoticeCameraRow,
    NoticeRow,
    SensorRow,
    ZoneRow,
)
from .supervision_rows import (
    DeductionRow,
    LetterCaseRow,
    LetterRow,
    PaperAreaRow,
    SupervisionRow,
    WhistleCallRow,
    WhistleRow,
)

WHAT: Mapping[type[Any], str] = {AlertRow: "alert", CaseRow: "case", CameraRow: "camera", SensorRow: "sensor"}
"""What lies in a grid itself."""
PAPERS: Mapping[type[Any], str] = {
    LetterRow: "letter",
    WhistleRow: "whistle",
    DeductionRow: "deduction",
    HandoverRow: "handover",
}
"""What is about cases or areas, comes from or goes to the office of a street, or is left to a desk."""


@dataclass(slots=True)
class _Asking:
    """A request, the ids of the grids (with all below them) that it is limited to (None: to nothing), and who asks."""

    grids: frozenset[str] | None = None
    who: str = ""


_ASKING: ContextVar[_Asking | None] = ContextVar("asking", default=None)


def begin() -> Token[_Asking | None]:
    """A request begins; who asks is not known yet."""
    return _ASKING.set(_Asking())


def end(token: Token[_Asking | None]) -> None:
    """It is over."""
    _ASKING.reset(token)


def limit(grids: frozenset[str] | None, who: str = "") -> None:
    """From now on the request sees what lies in these grids only, and papers that `who` made; None: everything."""
    asking = _ASKING.get()
    if asking is not None:
        asking.grids, asking.who = grids, who


def limited() -> frozenset[str] | None:
    """The grids that the request is limited to."""
    asking = _ASKING.get()
    return None if asking is None else asking.grids


@contextmanager
def lifted() -> Iterator[None]:
    """Without the limit, for what a person is told about what he may not see: that it is outside."""
    token = _ASKING.set(None)
    try:
        yield
    finally:
        _ASKING.reset(token)


def below(tx: Session, grids: Iterable[str]) -> frozenset[str]:
    """The ids of these grids and of all below them."""
    found = select(GridRow.id).where(GridRow.id.in_(list(grids))).cte(recursive=True)
    found = found.union(select(GridRow.id).join(found, GridRow.parent_id == found.c.id))
    return frozenset(tx.scalars(select(found.c.id)))


def around(tx: Session, grids: Iterable[str]) -> frozenset[str]:
    """The ids of these grids and of all that hold them."""
    return frozenset(tx.scalars(_around(grids)))


def _around(grids: Iterable[str]) -> Select[str]:
    found = select(GridRow.id, GridRow.parent_id).where(GridRow.id.in_(list(grids))).cte(recursive=True)
    held_by = select(GridRow.id, GridRow.parent_id).join(found, GridRow.id == found.c.parent_id)
    return select(found.union(held_by).c.id)


def tops(tx: Session, grids: frozenset[str]) -> list[str]:
    """Of these ids of grids with all below them: those that were given themselves."""
    rows = tx.execute(select(GridRow.id, GridRow.parent_id).where(GridRow.id.in_(grids)))
    return sorted(id_ for id_, parent in rows if parent not in grids)


def is_office(tx: Session, unit: str, grids: frozenset[str]) -> bool:
    """Whether the unit is the office of a street among these grids."""
    return tx.scalar(_offices(grids).where(DepartmentRow.id == unit)) is not None


def _offices(grids: frozenset[str]) -> Select[str]:
    return select(DepartmentRow.id).where(DepartmentRow.grid_id.in_(grids))


def about(tx: Session, paper_id: str, grids: frozenset[str]) -> bool:
    """Whether the letter or whistle is about an area among these."""
    query = select(PaperAreaRow.grid_id).where(PaperAreaRow.paper_id == paper_id, PaperAreaRow.grid_id.in_(grids))
    return tx.scalar(query.limit(1)) is not None


def stands(tx: Session, what: str, id_: str) -> bool:
    """Whether there is such an alert, case or whistle (by id or number), camera, sensor, letter or deduction."""
    row: Any = next((row for row, name in (*WHAT.items(), *PAPERS.items()) if name == what), None)
    if row is None:
        return False
    same = or_(row.id == id_, row.number == id_) if row in (CaseRow, WhistleRow) else row.id == id_
    return tx.scalar(select(row.id).where(same)) is not None


def hold(sessions: type[Session]) -> None:
    """Make these sessions keep to the scope of the request that they serve."""
    event.listen(sessions, "do_orm_execute", _narrow)
    event.listen(sessions, "before_flush", _keep_within)


def _narrow(state: ORMExecuteState) -> None:
    asking = _ASKING.get()
    if asking is not None and asking.grids is not None and state.is_select and not state.is_column_load:
        state.statement = state.statement.options(*_criteria(asking.grids, asking.who))


def _criteria(grids: frozenset[str], who: str) -> list[Any]:
    within = {
        AlertRow: AlertRow.grid_id.in_(grids),
        CameraRow: CameraRow.grid_id.in_(grids),
        SensorRow: SensorRow.grid_id.in_(grids),
        CaseRow: or_(*(column.in_(grids) for column in (CaseRow.grid_id, CaseRow.community_id, CaseRow.street_id))),
    }
    cameras, sensors, cases = (select(row.id).where(within[row]) for row in (CameraRow, SensorRow, CaseRow))
    members = select(NoticeCameraRow.notice_id).where(NoticeCameraRow.camera_id.in_(cameras))
    hanging: dict[type[Any], Any] = {
        ZoneRow: ZoneRow.camera_id.in_(cameras),
        NoticeCameraRow: NoticeCameraRow.camera_id.in_(cameras),
        NoticeRow: NoticeRow.id.in_(members),
        DriftRow: DriftRow.camera_id.in_(cameras),
        SightingRow: SightingRow.camera_id.in_(cameras),
        SightRow: SightRow.camera_id.in_(cameras),
        LinkRow: LinkRow.camera_id.in_(cameras) & LinkRow.sensor_id.in_(sensors),
        SensorNoticeRow: SensorNoticeRow.sensor_id.in_(sensors),
        QuarantineRow: false(),  # what is not in the inventory lies nowhere
        RequestRow: RequestRow.case_id.in_(cases),
        ReportRow: ReportRow.case_id.in_(cases),
        VisitRow: VisitRow.case_id.in_(cases),
        SupervisionRow: SupervisionRow.case_id.in_(cases),
        **_papers(grids, who, cases),
    }
    return [with_loader_criteria(row, where, include_aliases=True) for row, where in (within | hanging).items()]


def _papers(grids: frozenset[str], who: str, cases: Any) -> dict[type[Any], Any]:
    """Papers are theirs whose case or area it is, who made them, or whose street's office sent or gets them."""
    offices = _offices(grids)
    areas = select(PaperAreaRow.paper_id).where(PaperAreaRow.grid_id.in_(grids))
    named = select(LetterCaseRow.letter_id).where(LetterCaseRow.case_id.in_(cases))
    calls = select(WhistleCallRow.whistle_id).where(
        WhistleCallRow.department_id.in_(offices), WhistleCallRow.due_at.is_not(None)
    )
    numbers = select(CaseRow.number).where(CaseRow.id.in_(cases))
    return {
        LetterRow: or_(
            LetterRow.id.in_(named),
            LetterRow.id.in_(areas),
            LetterRow.department_id.in_(offices),
            LetterRow.created_by == who,
        ),
        WhistleRow: or_(
            WhistleRow.case_id.in_(cases),
            WhistleRow.id.in_(areas),
            WhistleRow.initiator_id.in_(offices),
            WhistleRow.id.in_(calls),
            WhistleRow.raised_by == who,
        ),
        # Points off without a case count for a unit, wherever it works.
        DeductionRow: (DeductionRow.case_number == "") | DeductionRow.case_number.in_(numbers),
        HandoverRow: _desks(grids, who),
    }


def _desks(grids: frozenset[str], who: str) -> Any:
    """Notes of a shift are theirs who share an area with whoever left them; the whole district's are everybody's."""
    shared = select(PaperAreaRow.paper_id).where(PaperAreaRow.grid_id.in_(_around(grids) if grids else []))
    return or_(HandoverRow.id.in_(shared), HandoverRow.id.not_in(select(PaperAreaRow.paper_id)), HandoverRow.by == who)


def _keep_within(session: Session, _context: object, _instances: object) -> None:
    grids = limited()
    if grids is None:
        return
    for row in (*session.new, *session.dirty):
        what = WHAT.get(type(row))
        if what is not None and grids.isdisjoint(_areas(row)):
            raise OutsideScope(what, row.id)


def _areas(row: Any) -> set[str]:
    columns = ("grid_id", "community_id", "street_id") if isinstance(row, CaseRow) else ("grid_id",)
    return {area for column in columns if (area := getattr(row, column))}
