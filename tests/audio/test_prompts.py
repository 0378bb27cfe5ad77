"""Every language that thymia supports has prompts, each with its origin and long enough to read."""

from pathlib import Path

import pytest

from heliograph.audio import PromptError, load_prompts
from heliograph.audio.prompts import MIN_PASSAGE_S, PROMPT_FOLDER, load_prompt_file
from thymia_api import LanguageCode

GOOD = (PROMPT_FOLDER / "en.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", list(LanguageCode))
def test_each_language_code_has_prompts_of_its_family(language: LanguageCode) -> None:
    prompts = load_prompts(language)
    assert prompts.language == language.value.split("-", maxsplit=1)[0]
    assert len(prompts.passages) >= 2
    assert len(prompts.questions) >= 3
    for passage in prompts.passages:
        assert passage.shortest_s >= MIN_PASSAGE_S
        assert any(word in passage.origin.lower() for word in ("public", "público", "publik", "満了")), (
            passage.origin
        )
        assert "\n" not in passage.text


def test_every_shipped_file_belongs_to_a_supported_language() -> None:
    families = {language.value.split("-", maxsplit=1)[0] for language in LanguageCode}
    assert {path.stem for path in PROMPT_FOLDER.glob("*.toml")} == families


@pytest.mark.parametrize("language", ["fr-FR", "", "../en", "e n"])
def test_a_language_without_prompts_is_said(language: str) -> None:
    with pytest.raises(PromptError):
        load_prompts(language)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("en", "not toml [", "can't be read"),
        ("en", GOOD.replace("[[question]]", "[[remark]]"), r"no \[\[question\]\]"),
        ("en", GOOD.split('[[question]]\nid = "week')[0], "3 questions at least"),
        ("en", GOOD.replace('id = "walden"', 'id = "alice"'), "an id twice"),
        ("en", GOOD.replace('title = "Alice"', ""), "lacks 'title'"),
        ("en", GOOD.replace("origin = ", "source = ", 1), "lacks 'origin'"),
        ("en", GOOD.replace("Alice was beginning", '"""\nother = """', 1), "lacks 'text'"),
        ("fr", GOOD, "no reading speed"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_the_rule(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PromptError, match=message) as caught:
        load_prompt_file(path)
    assert path.name in str(caught.value)


def test_a_passage_that_is_read_too_soon_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "en.toml"
    at = GOOD.index("Alice was beginning") + 60
    path.write_text(GOOD[:at] + GOOD[GOOD.index('"""', at) :], encoding="utf-8")
    with pytest.raises(PromptError, match="alice can be read in"):
        load_prompt_file(path)
