"""Chinese numbers: how they are said and how they are written.

Every function draws one number expression and returns ``(said, written)``: what is heard (words,
no punctuation) and what inverse text normalisation makes of it. The conventions are listed in
demo/README.md.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Expression = tuple[str, str]

ZH_DIGITS = "零一二三四五六七八九"
ZH_MEASURES = [
    "个",
    "人",
    "天",
    "次",
    "元",
    "公里",
    "小时",
    "分钟",
    "美元",
    "条",
    "名",
    "位",
    "年",
    "",
]


def zh_digits(text: str, rng: Random | None = None) -> str:
    """Digit by digit; with ``rng``, one number says all its ones as 幺 half of the time."""
    said = "".join(ZH_DIGITS[int(c)] for c in text)
    return said.replace("一", "幺") if rng is not None and rng.random() < 0.5 else said


def zh_cardinal(n: int, liang: bool = False) -> str:
    """0 <= n < 100000 as it is read; ``liang`` says 两 for the 2 before 百, 千 and 万."""
    if n < 10:
        return ZH_DIGITS[n]
    if n < 20:
        return "十" + (ZH_DIGITS[n - 10] if n > 10 else "")
    for unit, name in ((10_000, "万"), (1000, "千"), (100, "百"), (10, "十")):
        if n >= unit:
            head, rest = divmod(n, unit)
            said = ("两" if liang and head == 2 and unit > 10 else zh_cardinal(head)) + name
            if rest == 0:
                return said
            tail = zh_cardinal(rest, liang)
            if rest < 20 and rest >= 10:
                tail = "一" + tail
            return said + ("零" if rest * 10 < unit else "") + tail
    raise AssertionError(n)


def zh_decimal(rng: Random) -> Expression:
    whole = rng.choice([rng.randrange(10), rng.randrange(100)])
    fraction = str(rng.randrange(1, 10)) if rng.random() < 0.6 else f"{rng.randrange(1, 100):02d}"
    return zh_cardinal(whole) + "点" + zh_digits(fraction), f"{whole}.{fraction}"


def zh_percent(rng: Random) -> Expression:
    said, written = zh_decimal(rng) if rng.random() < 0.35 else _zh_plain(rng.randrange(1, 101))
    return "百分之" + ("百" if said == "一百" else said), written + "%"


def _zh_plain(n: int) -> Expression:
    return zh_cardinal(n), str(n)


def zh_quantity(rng: Random) -> Expression:
    n = rng.choice(
        [
            rng.randrange(10, 100),
            rng.randrange(100, 1000),
            rng.randrange(10, 10_000),
            rng.randrange(1, 100) * 100,
            rng.randrange(10_000, 100_000),
        ]
    )
    measure = rng.choice(ZH_MEASURES)
    return zh_cardinal(n, rng.random() < 0.5) + measure, f"{n}{measure}"


def zh_ordinal(rng: Random) -> Expression:
    n = rng.randrange(10, 100)
    measure = rng.choice(["个", "次", "名", "天", ""])
    return f"第{zh_cardinal(n)}{measure}", f"第{n}{measure}"


def zh_year(rng: Random) -> Expression:
    year = str(rng.randrange(1900, 2100))
    return zh_digits(year) + "年", year + "年"


def zh_date(rng: Random) -> Expression:
    month, day, sign = rng.randrange(1, 13), rng.randrange(1, 32), rng.choice("日日号")
    said, written = f"{zh_cardinal(month)}月{zh_cardinal(day)}{sign}", f"{month}月{day}{sign}"
    if rng.random() < 0.4:
        year_said, year_written = zh_year(rng)
        return year_said + said, year_written + written
    return said, written


def zh_time(rng: Random) -> Expression:
    hour, minute = rng.randrange(1, 25), rng.randrange(1, 60)
    before = rng.choice(["", "", "上午", "下午", "晚上"])
    said, written = before + zh_cardinal(hour) + "点", f"{before}{hour}点"
    kind = rng.random()
    if kind < 0.15:
        return said, written
    if kind < 0.3:
        return said + "半", written + "半"
    zero = "零" if minute < 10 else ""
    return f"{said}{zero}{zh_cardinal(minute)}分", f"{written}{minute:02d}分"


def zh_phone(rng: Random) -> Expression:
    number = "1" + str(rng.randrange(3, 10)) + "".join(str(rng.randrange(10)) for _ in range(9))
    if rng.random() < 0.35:
        number = "".join(str(rng.randrange(10)) for _ in range(rng.randrange(3, 9)))
    if rng.random() < 0.15:
        number = rng.choice(["13800138000", "110", "120", "10086", "12345", "119"])
    return zh_digits(number, rng), number


ZH_KINDS: list[Callable[[Random], Expression]] = [
    zh_year,
    zh_date,
    zh_date,
    zh_time,
    zh_phone,
    zh_phone,
    zh_percent,
    zh_decimal,
    zh_quantity,
    zh_quantity,
    zh_quantity,
    zh_ordinal,
]
