"""Arguments as people type them -> arguments as a command declares them."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from funasr_cli.cli.names.aliases import ALIASES, Alias, Form
from funasr_cli.cli.names.near import did_you_mean
from funasr_cli.cli.names.options import Kind, Option, Options, kebab
from funasr_cli.cli.names.values import check_choice, parse_flag
from funasr_cli.errors import UsageError

_ALONE = frozenset({"True", "False", "true", "false"})
"""What may follow a flag as a word of its own; anything else is the name of a recording."""
_UNNUMBERED = frozenset({"auto", "cpu", "gpu"})

_RENAMING = frozenset({Form.RENAMED, Form.CONSTANT, Form.FORMAT, Form.NUMBER, Form.MILLISECONDS})
"""Forms of which the option of ours says what theirs is."""


@dataclass
class Respelled:
    """What a command line says."""

    arguments: list[str] = field(default_factory=list)
    """For the command's own parser: inputs, and options that take a value."""
    flags: dict[str, bool] = field(default_factory=dict)
    """Parameter -> what the last flag for it said."""
    inputs: list[str] = field(default_factory=list)
    """The arguments that are no options."""
    given: set[str] = field(default_factory=set)
    """Parameters that were named."""
    asks_help: bool = False


def respell(arguments: Iterable[str], options: Options) -> Respelled:
    """Read kebab-case, snake_case, `--flag True`, `-qv`, and the names of other tools.

    Raises:
        UsageError: an option is unknown, or means something that does not exist here.
    """
    reader = _Reader(options, deque(arguments))
    while reader.left:
        reader.read()
    reader.finish()
    return reader.found


def first_input(arguments: list[str], options: Options) -> int | None:
    """Find the first argument that is no option and no option's value; None: there is none.

    Raises:
        UsageError: an option before it is unknown.
    """
    reader = _Reader(options, deque(arguments))
    while reader.left and not reader.found.inputs:
        reader.read()
    return len(arguments) - len(reader.left) - 1 if reader.found.inputs else None


class _Reader:
    """One command line from left to right; `left` is what has not been read yet."""

    def __init__(self, options: Options, left: deque[str]) -> None:
        self.options = options
        self.left = left
        self.found = Respelled()
        self._device: int | None = None
        """Where in `found.arguments` the device stands."""
        self._number: str | None = None
        self._format: int | None = None
        """Where in `found.arguments` the last formats stand."""
        self._formats: list[str] = []
        """Those that flags ask for."""

    def read(self) -> None:
        word = self.left.popleft()
        if word == "--":
            self._take_inputs([word, *self.left])
            self.left.clear()
        elif word.startswith("++") and "=" in word:
            self._read_option(f"--{word[2:]}")  # as Hydra writes options, and FunASR with it
        elif word == "-" or not word.startswith("-"):
            self._take_inputs([word])
        else:
            self._read_option(word)

    def finish(self) -> None:
        """Join what several options say: a device with its number, formats with each other."""
        self._finish_device()
        if not self._formats:
            return
        if self._format is None:
            # first: behind -- everything is a recording
            self.found.arguments[:0] = ["--format", ",".join(self._formats)]
        else:
            self.found.arguments[self._format] += "," + ",".join(self._formats)

    def _finish_device(self) -> None:
        if self._number is None:
            return
        device = "auto" if self._device is None else self.found.arguments[self._device]
        if device.lower() not in _UNNUMBERED:
            self.found.arguments[self._device or 0] = f"{device}:{self._number}"
        elif self._number != "0":
            raise UsageError(
                f"device {self._number} of which kind? Say it with --device, e.g. "
                f"--device cuda:{self._number} or --device vulkan:{self._number}"
            )

    def _take_inputs(self, words: list[str]) -> None:
        self.found.arguments += words
        self.found.inputs += words[1:] if words[0] == "--" else words

    def _read_option(self, word: str) -> None:
        name, equals, value = word.partition("=")
        if word in self.options.help:
            self.found.arguments.append(word)
            self.found.asks_help = True
        elif known := self.options.by_spelling.get(kebab(name)):
            self._take(*known, name, value if equals else None)
        elif alias := _find(kebab(name), self.options):
            self._take_alias(alias, name, value if equals else None)
        elif word.startswith("--") or not self._is_bundle(word):
            raise UsageError(_unknown(name, self.options))
        else:
            self._take_bundle(word)

    def _take(self, option: Option, sets: bool, name: str, value: str | None) -> None:
        self.found.given.add(option.name)
        if not option.is_setting and option.kind is Kind.FLAG:
            self.found.arguments.append(name)
        elif option.kind is Kind.FLAG:
            self.found.flags[option.name] = self._flag(name, value) is sets
        elif value is None and not self.left:
            raise UsageError(f"{name} needs a value: {option.kind.value}")
        else:
            self._take_value(option, self.left.popleft() if value is None else value)

    def _take_value(self, option: Option, value: str) -> None:
        check_choice(option, option.spelling, value)
        if option.name == "output_format" and "." in value:
            # whisper.cpp's -f names the recording; ours is that of whisper and FunASR
            raise UsageError(
                f"-f chooses the output format; name the recording alone: "
                f"funasr {self.options.command} {value}"
            )
        if option.name == "device":
            self._device = len(self.found.arguments) + 1
        elif option.name == "output_format":
            self._format = len(self.found.arguments) + 1
        self.found.arguments += [option.on[0], value]

    def _flag(self, name: str, value: str | None) -> bool:
        if value is None:
            value = self.left.popleft() if self.left and self.left[0] in _ALONE else "true"
        said = parse_flag(value)
        if said is None:
            raise UsageError(f"{name}={value}: expected {Kind.FLAG.value}")
        return said

    def _take_alias(self, alias: Alias, name: str, value: str | None) -> None:
        if alias.form is Form.RENAMED:
            self.left.appendleft(alias.option if value is None else f"{alias.option}={value}")
        elif alias.form is Form.ALWAYS:
            self._flag(name, value)
        elif alias.form is Form.REFUSED_FLAG:
            if self._flag(name, value):
                raise UsageError(f"{name}: {alias.note}")
        elif alias.form is Form.FORMAT:
            if self._flag(name, value):
                self._formats.append(alias.note)
                self.found.given.add(self.options.by_spelling[alias.option][0].name)
        elif alias.form is Form.CONSTANT:
            if self._flag(name, value):
                self.left.extendleft((alias.note, alias.option))
        elif value is None and not self.left:
            raise UsageError(f"{name} needs a value")
        else:
            self._take_foreign(alias, name, self.left.popleft() if value is None else value)

    def _take_foreign(self, alias: Alias, name: str, value: str) -> None:
        match alias.form:
            case Form.INPUT:
                self._take_inputs([value])
            case Form.NUMBER:
                self._number = value
            case Form.MILLISECONDS:
                number = value.replace(".", "", 1)
                value = f"{value}ms" if number.isascii() and number.isdigit() else value
                self.left.extendleft((value, alias.option))
            case Form.WINDOW:
                self.left.extendleft(reversed(_window(name, value)))
            case _ if value not in alias.fine:
                raise UsageError(f"{name} {value}: {alias.note}")

    def _is_bundle(self, word: str) -> bool:
        for letter in word[1:]:
            option, _ = self.options.by_spelling.get(f"-{letter}", (None, True))
            if option is None:
                return False
            if option.kind is not Kind.FLAG:
                return True
        return True

    def _take_bundle(self, word: str) -> None:
        """Read `-qv`, `-t4`, `-qfsrt`."""
        for at, letter in enumerate(word[1:], 2):
            option, sets = self.options.by_spelling[f"-{letter}"]
            if option.kind is not Kind.FLAG:
                self._take(option, sets, f"-{letter}", word[at:] or None)
                return
            self._take(option, sets, f"-{letter}", "true" if option.is_setting else None)


def _find(name: str, options: Options) -> Alias | None:
    fits = (a for a in ALIASES if name in a.names and a.option in options.by_spelling)
    return next(fits, None)


def _window(name: str, value: str) -> list[str]:
    begin, _, end = value.partition(",")
    try:
        seconds = float(end or "inf") - float(begin)
    except ValueError:
        raise UsageError(f"{name} {value}: expected FROM,TO in seconds, once") from None
    return ["--start", begin, *(["--duration", f"{seconds:g}"] if end else [])]


def _unknown(name: str, options: Options) -> str:
    foreign = next((a for a in ALIASES if kebab(name) in a.names and name.startswith("--")), None)
    if foreign and foreign.form in _RENAMING:
        return (
            f"{name} is {foreign.option} here, which `funasr {options.command}` does not have; "
            f"funasr {options.command} --help lists its options"
        )
    usable = [n for a in ALIASES if a.option in options.by_spelling for n in a.names]
    declared = [s for option in options.all for s in (*option.on, *option.off)]
    known = [s for s in (*declared, *usable) if s.startswith("--")]
    hint = did_you_mean(name, known)
    listed = "" if hint else f"; funasr {options.command} --help lists its options"
    return f"unknown option {name}{hint}{listed}"
