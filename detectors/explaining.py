"""What a sensor rule found, in one sentence for people, in Chinese and in English."""

from __future__ import annotations

from detectors.profile import SensorRule, Words
from detectors.rules.threshold import Level, Limits

_HOW = {
    "average": ("{span}平均", " over {span}"),
    "change": ("{span}变化", " change in {span}"),
    "count": ("{span}内次数", " times in {span}"),
}


def explained(
    rule: SensorRule, limits: Limits, value: float, level: Level, late: bool = False, channel: str = ""
) -> Words:
    """{zh, en}: "满溢度 93 % > 90 %，连续 2 次", "Fill level 93 % > 90 % for 2 readings"; a channel in front."""
    zh, en = _what(rule, limits, value)
    if channel:
        zh, en = f"{channel} {zh}", f"{channel}: {en}"
    lasted_s = 0.0 if level.since_s is None or not level.recent else level.recent[-1][0] - level.since_s
    if rule.lasts and limits.hold_s:
        zh, en = f"{zh}，超过 {_span_zh(limits.hold_s)}", f"{en} for more than {_span_en(limits.hold_s)}"
    elif level.in_a_row > 1:
        zh, en = f"{zh}，连续 {level.in_a_row} 次", f"{en} for {level.in_a_row} readings"
        if limits.hold_s and lasted_s >= 60:
            zh, en = f"{zh}、{_span_zh(lasted_s)}", f"{en} in {_span_en(lasted_s)}"
    return {"zh": f"{zh}（延迟）", "en": f"{en} (late)"} if late else {"zh": zh, "en": en}


def spoken(seconds: float) -> Words:
    """{zh, en} of a span of time."""
    return {"zh": _span_zh(seconds), "en": _span_en(seconds)}


def _what(rule: SensorRule, limits: Limits, value: float) -> tuple[str, str]:
    if rule.state:
        return rule.says.get("zh") or f"{rule.label['zh']}：是", rule.says.get("en") or f"{rule.label['en']}: yes"
    unit = f" {rule.unit}" if rule.unit else ""
    sign = ">" if limits.above else "<"
    compared = f"{_number(value)}{unit} {sign} {_number(limits.passed(value))}{unit}"
    zh, en = rule.label["zh"], rule.label["en"]
    if rule.span is not None:
        how_zh, how_en = _HOW[rule.span.how]
        zh += " " + how_zh.format(span=_span_zh(rule.span.over_s))
        en += how_en.format(span=_span_en(rule.span.over_s))
    return f"{zh} {compared}", f"{en} {compared}"


def _number(value: float) -> str:
    return f"{round(value, 2):g}" if abs(value) < 1e5 else f"{value:g}"


def _span_zh(seconds: float) -> str:
    number, unit = _in_unit(seconds)
    return f"{number} {('秒', '分钟', '小时', '天')[unit]}"


def _span_en(seconds: float) -> str:
    number, unit = _in_unit(seconds)
    return f"{number} {('s', 'min', 'h', 'd')[unit]}"


def _in_unit(seconds: float) -> tuple[str, int]:
    for unit, least in ((3, 2 * 86400.0), (2, 3600.0), (1, 60.0)):
        if seconds >= least:
            size = {3: 86400.0, 2: 3600.0, 1: 60.0}[unit]
            return f"{round(seconds / size, 1):g}", unit
    return f"{round(seconds):g}", 0
