"""docs/OPTIONS.md, its Chinese twin and `--help` come from one source."""

import pytest
from make_options import PAGES, page


@pytest.mark.parametrize("language", PAGES)
def test_the_page_is_what_the_commands_declare(language: str) -> None:
    written = PAGES[language].read_text(encoding="utf-8")
    assert written == page(language), "run: python tests/make_options.py"
