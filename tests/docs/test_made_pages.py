"""What is made from the code is what the code makes, and the reference leaves no public name out."""

import re

import pytest

import cashin_async
from cashin_async import rules, simulator
from tests.docs import commands, pictures
from tests.docs.pages import ROOT

DOCS = ROOT / "docs"


def test_the_command_line_reference_is_what_the_commands_say() -> None:
    assert commands.PAGE.read_text(encoding="utf-8") == commands.commands_page(), (
        f"a command has changed, run: {commands.COMMAND}"
    )


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_the_diagrams_are_what_their_script_draws(name: str) -> None:
    drawn = pictures.PICTURES[name]()
    assert (pictures.IMAGES / f"{name}.svg").read_text(encoding="utf-8") == drawn, "run: python -m tests.docs.pictures"


def test_the_picture_of_the_admission_shows_what_its_page_says() -> None:
    """One hold, and nothing refused after it."""
    made = pictures.course()
    assert max(window for _, window in made.windows) == 8
    assert sum(refused for _, refused in made.sent) == 7
    assert all(sent < made.holds[0][0] for sent, refused in made.sent if refused)
    assert len({end for _, end in made.holds}) == 1


def test_every_picture_has_words_in_its_place() -> None:
    for page in sorted(DOCS.rglob("*.md")):
        for words, image in re.findall(r"!\[(.*?)\]\((.*?)\)", page.read_text(encoding="utf-8")):
            assert len(words) > 20, f"{page}: {image} has no words that tell what it shows"
            assert (page.parent / image).exists(), f"{page}: there is no {image}"


def test_every_public_name_is_in_the_reference() -> None:
    documented = {
        entry.rpartition(".")[2]
        for page in ("reference.md", "settings.md", "simulator.md")
        for entry in re.findall(r"^::: ([\w.]+)$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    }
    errors = set(re.findall(r"^class (\w+)", (ROOT / "cashin_async" / "errors.py").read_text(), re.MULTILINE))
    public = {*cashin_async.__all__, *rules.__all__, *simulator.__all__}
    assert public - documented - errors == set()
