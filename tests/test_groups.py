"""A dataclass is a group of options."""

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from funasr_cli.cli.groups import grouped


@dataclass(frozen=True)
class Size:
    width: Annotated[int, typer.Option("-w", "--width", help="How wide.")] = 3
    deep: Annotated[bool, typer.Option(help="How deep.")] = True


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()

    @app.command()
    @grouped
    def show(*, name: Annotated[str, typer.Argument()], size: Size, loud: bool = False) -> None:
        """Show."""
        typer.echo(f"{name} {size} {loud}")

    found = CliRunner().invoke(app, list(arguments))
    return found.exit_code, found.output


def test_fields_are_options_with_their_defaults() -> None:
    assert run("a") == (0, "a Size(width=3, deep=True) False\n")
    assert run("a", "-w", "7", "--no-deep", "--loud") == (0, "a Size(width=7, deep=False) True\n")


def test_their_types_and_help_are_typer_s() -> None:
    assert run("a", "--width", "x")[0] == 2
    assert "How wide." in run("--help")[1]
