"""docs/OPTIONS.md and `--help` come from one source."""

from make_options import PAGE, page


def test_the_page_is_what_the_commands_declare() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tests/make_options.py"
