"""What README says is true: its doors exist, its links lead somewhere, its picture is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_opens_with_the_first_two_doors():
    commands = README.split("```sh\n")[1].split("```")[0].splitlines()
    assert [line.split("#")[0].strip() for line in commands] == ["make run", "make test"]


def test_every_door_in_readme_and_makefile_is_a_door_of_the_module():
    done = subprocess.run(
        [sys.executable, "-m", "heliograph"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    doors = set(re.search(r"{(.+?)}", done.stderr).group(1).split(","))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE).group(1).split()) == doors
    assert set(re.findall(r"`(?:make|py -m heliograph) (\w+)`", README)) <= doors


def test_every_link_and_picture_inside_the_project_leads_somewhere():
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_page_of_docs_is_listed_in_the_readme():
    listed = set(re.findall(r"\]\((docs/[^)]+)\)", README))
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= listed
