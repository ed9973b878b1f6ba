"""English numbers: how they are said and how they are written.

Every function draws one number expression and returns ``(said, written)``: what is heard (words,
no punctuation) and what inverse text normalisation makes of it. The conventions are listed in
demo/README.md.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Expression = tuple[str, str]

EN_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
EN_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
EN_MONTHS = (
    "January February March April May June July August September October November December"
).split()
EN_ORDINALS = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
).split()


def en_cardinal(n: int, with_and: bool = False) -> str:
    """0 <= n < 100000 in words."""
    if n < 20:
        return EN_ONES[n]
    if n < 100:
        return EN_TENS[n // 10] + (" " + EN_ONES[n % 10] if n % 10 else "")
    unit, name = (1000, "thousand") if n >= 1000 else (100, "hundred")
    head, rest = divmod(n, unit)
    said = f"{en_cardinal(head)} {name}"
    if rest == 0:
        return said
    return said + (" and " if with_and and rest < 100 else " ") + en_cardinal(rest, with_and)


def en_ordinal(n: int) -> str:
    """1 <= n < 100."""
    if n <= 20:
        return EN_ORDINALS[n]
    tens, one = divmod(n, 10)
    return EN_TENS[tens] + " " + EN_ORDINALS[one] if one else EN_TENS[tens][:-1] + "ieth"


def en_year_words(year: int, rng: Random) -> str:
    century, rest = divmod(year, 100)
    if year // 10 == 200 or (century == 20 and rng.random() < 0.3):
        return en_cardinal(year, rng.random() < 0.5)
    if rest == 0:
        return en_cardinal(century) + " hundred"
    if rest < 10:
        return f"{en_cardinal(century)} oh {en_cardinal(rest)}"
    return f"{en_cardinal(century)} {en_cardinal(rest)}"


def en_year(rng: Random) -> Expression:
    year = rng.randrange(1900, 2100)
    said, written = en_year_words(year, rng), str(year)
    return ("in " + said, "in " + written) if rng.random() < 0.5 else (said, written)


def en_quantity(rng: Random) -> Expression:
    n = rng.choice(
        [
            rng.randrange(10, 100),
            rng.randrange(10, 100),
            rng.randrange(100, 1000),
            rng.randrange(1000, 10_000),
            rng.randrange(1, 100) * 100,
        ]
    )
    return en_cardinal(n, rng.random() < 0.4), str(n)


def en_date(rng: Random) -> Expression:
    month, day = rng.choice(EN_MONTHS), rng.randrange(1, 32)
    spoken_day = en_ordinal(day) if rng.random() < 0.75 else en_cardinal(day)
    said, written = f"{month} {spoken_day}", f"{month} {day}"
    if rng.random() < 0.35:
        year = rng.randrange(1900, 2100)
        return f"{said}, {en_year_words(year, rng)}", f"{written}, {year}"
    return said, written


def en_decimal(rng: Random) -> Expression:
    whole = rng.choice([rng.randrange(10), rng.randrange(100)])
    fraction = str(rng.randrange(1, 10)) if rng.random() < 0.6 else f"{rng.randrange(1, 100):02d}"
    digits = " ".join(EN_ONES[int(c)] for c in fraction)
    return f"{en_cardinal(whole)} point {digits}", f"{whole}.{fraction}"


def en_percent(rng: Random) -> Expression:
    if rng.random() < 0.35:
        said, written = en_decimal(rng)
    else:
        n = rng.randrange(1, 101)
        said, written = en_cardinal(n), str(n)
    return said + " percent", written + "%"


def en_time(rng: Random) -> Expression:
    hour, minute = rng.randrange(1, 13), rng.randrange(1, 60)
    said = "oh " + en_cardinal(minute) if minute < 10 else en_cardinal(minute)
    at = "at " if rng.random() < 0.7 else ""
    return f"{at}{en_cardinal(hour)} {said}", f"{at}{hour}:{minute:02d}"


def en_phone(rng: Random) -> Expression:
    number = "".join(str(rng.randrange(10)) for _ in range(rng.choice([3, 4, 7, 7, 10, 11])))
    zero = "oh" if rng.random() < 0.25 else "zero"
    return " ".join(zero if c == "0" else EN_ONES[int(c)] for c in number), number


EN_KINDS: list[Callable[[Random], Expression]] = [
    en_year,
    en_date,
    en_date,
    en_time,
    en_phone,
    en_phone,
    en_percent,
    en_decimal,
    en_quantity,
    en_quantity,
    en_quantity,
]
