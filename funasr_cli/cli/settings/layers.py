"""Every layer on top of the other: default, files, profile, variables."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from re import IGNORECASE, escape, search
from typing import Any

from funasr_cli.cli.names.near import did_you_mean
from funasr_cli.cli.names.options import PROFILE, Kind, Option, Options
from funasr_cli.cli.names.values import check_choice, parse_flag
from funasr_cli.cli.settings.files import SettingsFile
from funasr_cli.cli.settings.reading import Setting, profiles, values
from funasr_cli.errors import UsageError

PREFIX = "FUNASR_"
PROFILE_VARIABLE = "FUNASR_PROFILE"
OWN_VARIABLES = {"model": "FUNASR_MODEL_DIR", "llama_bin": "FUNASR_LLAMA_BIN"}
"""Parameter -> the variable that the library itself reads; it covers the files all the same."""
RESERVED = frozenset(
    {"FUNASR_DEBUG", "FUNASR_TRIAL", "FUNASR_LANG", PROFILE_VARIABLE, *OWN_VARIABLES.values()}
)
"""Variables that are no option's, whatever spellings options have."""

ORIGINS: ContextVar[Mapping[str, Setting]] = ContextVar("ORIGINS")
"""Settings of the command that is running, for `origin_note`."""


@dataclass(frozen=True)
class Layers:
    """What is set outside the command line."""

    files: tuple[SettingsFile, ...]
    profile: str | None
    environment: Mapping[str, str]

    def settings(self, options: Options) -> dict[str, Setting]:
        """Return every option of a command with its value and origin.

        Raises:
            UsageError: a value is none of its kind.
        """
        found = {o.name: Setting(o.default, "default") for o in options.all if o.is_setting}
        for file in self.files:
            found |= values(file, options)
        for file in self.files:
            if self.profile in profiles(file):
                found |= values(file, options, self.profile)
        for option in options.all:
            if option.is_setting and (said := _from_environment(option, self.environment)):
                found[option.name] = said
        return found

    def unknown_variables(self, commands: Sequence[Options]) -> Iterator[str]:
        """Name the variables that look like ours and are no option's."""
        known = {key.upper() for options in commands for key in options.by_key}
        for name in sorted(self.environment):
            key = name.removeprefix(PREFIX)
            if key != name and key not in known and name not in RESERVED:
                hint = did_you_mean(key, known).replace("mean ", f"mean {PREFIX}")
                yield f"{name} is no option of ours{hint.replace(' or ', f' or {PREFIX}')}"


def make_layers(
    files: tuple[SettingsFile, ...], named: str | None, environment: Mapping[str, str] | None = None
) -> Layers:
    """Choose the profile: as named, else FUNASR_PROFILE, else `profile` of the nearest file.

    Raises:
        UsageError: no file has it.
    """
    environment = os.environ if environment is None else environment
    chosen, origin = named, "--profile"
    if chosen is None:
        chosen, origin = environment.get(PROFILE_VARIABLE), PROFILE_VARIABLE
    for file in reversed(files):
        if chosen is None and PROFILE in file.data:
            chosen, origin = file.data[PROFILE], file.place((), PROFILE)
    if not chosen:
        return Layers(files, None, environment)
    known = [name for file in files for name in profiles(file)]
    if chosen not in known:
        hint = did_you_mean(str(chosen), known) or (
            f"; known are {', '.join(dict.fromkeys(known))}"
            if known
            else "; make one as [profiles.NAME] in the file that `funasr config path` names"
        )
        raise UsageError(f"{origin}: no profile {chosen!r}{hint}")
    return Layers(files, chosen, environment)


def origin_note(message: str) -> str:
    """Name the origin of the settings that an error speaks of; nothing where they were typed."""
    told = [
        f"{name} comes from {setting.origin}"
        for name, setting in ORIGINS.get({}).items()
        if setting.kind != "default" and setting.is_passed and _speaks_of(message, name, setting)
    ]
    return f" ({'; '.join(told)})" if told else ""


def _speaks_of(message: str, name: str, setting: Setting) -> bool:
    if search(rf"--{escape(name.replace('_', '-'))}\b", message):
        return True
    values_ = setting.value if isinstance(setting.value, list) else [setting.value]
    words = [str(value) for value in values_ if isinstance(value, str)]
    return any(search(rf"(?<!\w){escape(w)}(?!\w)", message, IGNORECASE) for w in words if w)


def _from_environment(option: Option, environment: Mapping[str, str]) -> Setting | None:
    for key in option.keys:
        variable = f"{PREFIX}{key.upper()}"
        text = environment.get(variable, "")
        if text and variable not in RESERVED:
            return Setting(_parsed(option, variable, text), variable, "environment")
    own = OWN_VARIABLES.get(option.name, "")
    if environment.get(own):
        return Setting(environment[own], own, "environment", is_passed=False)
    return None


def _parsed(option: Option, variable: str, text: str) -> Any:  # noqa: ANN401 - as the option has it
    value: object = None
    with suppress(ValueError):
        match option.kind:
            case Kind.FLAG:
                value = parse_flag(text)
            case Kind.INTEGER:
                value = int(text)
            case Kind.NUMBER:
                value = float(text)
            case _:
                check_choice(option, f"{variable} is", text)
                value = text
    if value is None:
        raise UsageError(f"{variable} is {text!r}; expected {option.kind.value}")
    return [value] if option.several else value


def passed(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Keep what the command line has to hand on: no defaults, nothing the library reads itself."""
    return {n: s for n, s in settings.items() if s.kind != "default" and s.is_passed}
