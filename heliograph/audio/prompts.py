"""What people are asked to read aloud or to talk about: files under `data/prompts/`, one per language family."""

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import PromptError

PROMPT_FOLDER = Path(__file__).resolve().parents[2] / "data" / "prompts"
MIN_PASSAGE_S = 25.0
"""Even a fast reader gets past thymia's 10 s of speech, with pauses, and into the green (15 s)."""
MIN_PASSAGES, MIN_QUESTIONS = 2, 3

# Fast reading aloud, so that the shortest time is what counts: words a minute, characters for Japanese.
_FAST_WORDS_PER_MINUTE = {"en": 190.0, "es": 200.0, "id": 170.0}
_FAST_CHARACTERS_PER_MINUTE = {"ja": 420.0}


@dataclass(frozen=True, slots=True)
class Passage:
    """A text to read aloud; `origin` says where it comes from and why it is in the public domain."""

    id: str
    title: str
    text: str
    origin: str
    shortest_s: float


@dataclass(frozen=True, slots=True)
class Question:
    """An open question to talk about freely."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class PromptSet:
    """The prompts of one language family (`en`, `es`, `id`, `ja`)."""

    language: str
    passages: tuple[Passage, ...]
    questions: tuple[Question, ...]


def load_prompts(language: str) -> PromptSet:
    """Load the prompts for a thymia language code such as `es-US`; PromptError when they are missing or bad."""
    return _load_family(language.partition("-")[0].lower(), PROMPT_FOLDER)


def load_prompt_file(path: Path) -> PromptSet:
    """Read and check one prompt file, named by its language family."""
    family = path.stem
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PromptError(f"There are no prompts for the language {family!r} ({path.name} is missing).") from error
    except (OSError, ValueError) as error:
        raise PromptError(f"{path.name} can't be read: {error}") from error
    passages = tuple(
        _read_passage(path.name, family, entry) for entry in _read_list(path.name, content, "passage")
    )
    questions = tuple(
        Question(id=_read_text(path.name, entry, "id"), text=_read_text(path.name, entry, "text"))
        for entry in _read_list(path.name, content, "question")
    )
    if len(passages) < MIN_PASSAGES or len(questions) < MIN_QUESTIONS:
        raise PromptError(f"{path.name} needs {MIN_PASSAGES} passages and {MIN_QUESTIONS} questions at least.")
    ids = [passage.id for passage in passages] + [question.id for question in questions]
    if len(set(ids)) != len(ids):
        raise PromptError(f"{path.name} uses an id twice.")
    return PromptSet(family, passages, questions)


@functools.cache
def _load_family(family: str, folder: Path) -> PromptSet:
    if not family.isalpha():
        raise PromptError(f"{family!r} is not a language.")
    return load_prompt_file(folder / f"{family}.toml")


def _read_passage(file_name: str, family: str, entry: Any) -> Passage:
    text = " ".join(_read_text(file_name, entry, "text").split())
    if family in _FAST_CHARACTERS_PER_MINUTE:
        text = text.replace(" ", "")
        shortest_s = sum(character.isalnum() for character in text) / _FAST_CHARACTERS_PER_MINUTE[family] * 60
    elif family in _FAST_WORDS_PER_MINUTE:
        shortest_s = len(text.split()) / _FAST_WORDS_PER_MINUTE[family] * 60
    else:
        raise PromptError(f"{file_name}: no reading speed is known for this language.")
    passage = Passage(
        id=_read_text(file_name, entry, "id"),
        title=_read_text(file_name, entry, "title"),
        text=text,
        origin=" ".join(_read_text(file_name, entry, "origin").split()),
        shortest_s=shortest_s,
    )
    if shortest_s < MIN_PASSAGE_S:
        raise PromptError(
            f"{file_name}: {passage.id} can be read in {shortest_s:.0f} s; make it {MIN_PASSAGE_S:.0f} s at least."
        )
    return passage


def _read_list(file_name: str, content: dict[str, Any], name: str) -> list[Any]:
    entries = content.get(name)
    if not isinstance(entries, list):
        raise PromptError(f"{file_name} has no [[{name}]].")
    return entries


def _read_text(file_name: str, entry: Any, name: str) -> str:
    value = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(value, str) or not value.strip():
        raise PromptError(f"{file_name}: an entry lacks {name!r}.")
    return value.strip()
