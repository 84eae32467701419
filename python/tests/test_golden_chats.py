"""The conversations that gollm-chat's tests compare with are what Jinja2 makes today."""

from __future__ import annotations

import golden_chats


def test_the_rendered_conversations_are_up_to_date() -> None:
    assert golden_chats.RENDERED.read_bytes() == golden_chats.content(), (
        "run golden_chats.py and look at what changed"
    )


def test_the_environment_refuses_and_loops_as_transformers_does() -> None:
    made = {(case["template"], case["conversation"]): case for case in golden_chats.cases()}
    refused = made["strict_turns", "a system message"]
    assert refused["error"] == "System role not supported"
    assert len(made) >= 13 * 7
