"""Conversations as Jinja2 renders them, for the tests of gollm-chat.

    python golden_chats.py           # remake crates/gollm-chat/tests/rendered.json
    python golden_chats.py --check   # compare it with what Jinja2 makes today

The environment is the one that the transformers library gives to chat templates; the templates are
those beside the tests and those that are built in.
Source: <https://huggingface.co/docs/transformers/chat_templating_writing>.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from checkpoint import write_atomically

CRATE = Path(__file__).resolve().parent.parent / "crates" / "gollm-chat"
RENDERED = CRATE / "tests" / "rendered.json"
TEMPLATES = [CRATE / "src" / "templates", CRATE / "tests" / "templates"]
# 2025-03-09 08:05:07 UTC, a Sunday.
NOW = 1_741_507_507
BOS, EOS = "<s>", "</s>"

Message = dict[str, str]


def said(*turns: str, system: str | None = None) -> list[Message]:
    """A conversation in which the user begins."""
    roles = ["user", "assistant"] * len(turns)
    messages = [{"role": role, "content": text} for role, text in zip(roles, turns, strict=False)]
    return ([{"role": "system", "content": system}] if system is not None else []) + messages


CONVERSATIONS: dict[str, list[Message]] = {
    "one question": said("Hello there"),
    "a system message": said("Hello", "Hi!", "And you?", system="Be brief."),
    "white space": said("  spaced \n", "\n\n answer\t", " more  ", system="\n trimmed? "),
    "thoughts": said(
        "2 + 2?",
        "<think>\nTwo and two.\n</think>\n\nFour.",
        "Sure?",
        "<think>\nYes.\n</think>\n\nYes.",
    ),
    "thoughts and a question": said("a", "<think>b</think>c", "d", system=""),
    "all kinds of letters": said("Grüße, 世界 🦊 \u200b", "«ça va»", '"quoted" <b> & \\ {{ x }}'),
    "empty": said("", "", ""),
}


class Generation(Extension):
    """`{% generation %}`: what a model is trained to say, here just its text."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> Node | list[Node]:
        """The text between the tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def environment() -> ImmutableSandboxedEnvironment:
    """Jinja2 with the settings and functions of chat templates."""
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )

    def raise_exception(message: str) -> None:
        raise jinja2.exceptions.TemplateError(message)

    def tojson(
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        return json.dumps(
            value,
            ensure_ascii=ensure_ascii,
            indent=indent,
            separators=separators,
            sort_keys=sort_keys,
        )

    def strftime_now(layout: str) -> str:
        # No time zone: the tests' clock shows UTC.
        return datetime.fromisoformat("2025-03-09T08:05:07").strftime(layout)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = strftime_now
    return env


def cases() -> list[dict[str, Any]]:
    """Every template with every conversation: what it makes of it, or why it refuses."""
    made: list[dict[str, Any]] = []
    env = environment()
    for path in sorted(path for folder in TEMPLATES for path in folder.glob("*.jinja")):
        template = env.from_string(path.read_text(encoding="utf-8"))
        for name, messages in CONVERSATIONS.items():
            for options in ({}, {"enable_thinking": False}, {"add_generation_prompt": False}):
                variables: dict[str, Any] = {
                    "messages": messages,
                    "tools": None,
                    "documents": None,
                    "bos_token": BOS,
                    "eos_token": EOS,
                    "add_generation_prompt": True,
                }
                case = {"template": path.stem, "conversation": name, "options": options}
                try:
                    case["text"] = template.render({**variables, **options})
                except jinja2.exceptions.TemplateError as error:
                    case["error"] = str(error)
                made.append(case)
    return made


def content() -> bytes:
    """The file."""
    value = {
        "now": NOW,
        "bos_token": BOS,
        "eos_token": EOS,
        "conversations": CONVERSATIONS,
        "cases": cases(),
    }
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def main(arguments: list[str]) -> int:
    """Runs the command and returns its exit code."""
    if arguments == ["--check"]:
        if RENDERED.read_bytes() != content():
            print(f"{RENDERED.name} is not what Jinja2 makes: run golden_chats.py", file=sys.stderr)
            return 1
    else:
        write_atomically(RENDERED, content())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
