"""What people type for the value of an option: flags as words, and choices."""

from funasr_cli.cli.names.near import did_you_mean
from funasr_cli.cli.names.options import Option
from funasr_cli.errors import UsageError

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def parse_flag(text: str) -> bool | None:
    """Read true, yes, on, 1 and their opposites; None: it is none of these."""
    word = text.strip().casefold()
    return True if word in _TRUE else False if word in _FALSE else None


def check_choice(option: Option, where: str, value: str) -> None:
    """Refuse what is none of an option's choices.

    Raises:
        UsageError: with the near ones, and all.
    """
    if option.choices and value not in option.choices:
        hint = did_you_mean(value, option.choices)
        raise UsageError(f"{where} {value}: known are {', '.join(option.choices)}{hint}")
