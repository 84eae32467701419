"""`gollm chat` as a person meets it: in a terminal, with the keys of a keyboard."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_binary import binary

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are Unix", allow_module_level=True)

import pty

PROMPT = "> "
CTRL_C, CTRL_D, ENTER = b"\x03", b"\x04", b"\r"
# Cursor movements and modes of the line editor; colours stay.
EDITING = re.compile(r"\x1b\[[?0-9;]*[A-HJKSThl]")


class Terminal:
    """The binary behind a pseudo-terminal; its stdout may be a file."""

    def __init__(self, *arguments: str, stdout: Path | None = None, no_color: bool = False) -> None:
        self.master, slave = pty.openpty()
        command = [str(binary()), "chat", "--template", "chatml", "-s", "1", *arguments]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GOLLM_", "NO_COLOR"))}
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave if stdout is None else stdout.open("wb"),
            stderr=slave,
            env={**kept, "TERM": "xterm-256color", **({"NO_COLOR": "1"} if no_color else {})},
            start_new_session=True,
            preexec_fn=take_terminal,
        )
        os.close(slave)
        self.screen = ""
        self.seen = 0

    def wait_for(self, text: str, timeout: float = 60.0) -> str:
        """Reads until `text` is on the screen behind what was waited for before."""
        end = time.monotonic() + timeout
        while (at := self.screen.find(text, self.seen)) < 0:
            ready, _, _ = select.select([self.master], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                pytest.fail(f"{text!r} did not come; the screen is\n{self.screen}")
            try:
                new = os.read(self.master, 65536)
            except OSError:  # the other end was closed
                new = b""
            if not new:
                pytest.fail(f"{text!r} did not come before the end; the screen is\n{self.screen}")
            self.screen += EDITING.sub("", new.decode("utf-8", "replace"))
        before, self.seen = self.screen[self.seen : at], at + len(text)
        return before

    def type(self, keys: str | bytes) -> None:
        """Presses keys; text is followed by Enter."""
        os.write(self.master, keys if isinstance(keys, bytes) else keys.encode() + ENTER)

    def say(self, text: str) -> None:
        """Waits for the prompt and types a line."""
        self.wait_for(PROMPT)
        self.type(text)

    def ends(self) -> int:
        """The exit code, once the program has ended."""
        end = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < end:
            ready, _, _ = select.select([self.master], [], [], 0.05)
            if ready:
                try:
                    self.screen += os.read(self.master, 65536).decode("utf-8", "replace")
                except OSError:
                    continue
        return self.process.wait(timeout=1)

    def close(self) -> None:
        """Ends the program if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)


def take_terminal() -> None:
    """Makes the pseudo-terminal the one that Ctrl-C comes from."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def test_commands_and_answers_and_ctrl_d(terminals: list[Terminal], tmp_path: Path) -> None:
    talk, stdout = tmp_path / "talk.json", tmp_path / "stdout"
    terminal = Terminal("-n", "12", "--system", "be brief", stdout=stdout)
    terminals.append(terminal)
    terminal.say("/help")
    assert "/save FILE" in terminal.wait_for("leaves")
    terminal.say("Tell me about a fox")
    terminal.wait_for("(stopped at --max-tokens)")
    terminal.say("/stats")
    assert "prompt tokens" in terminal.wait_for("ended: --max-tokens reached")
    terminal.say(f"/save {talk}")
    terminal.wait_for("saved 2 messages")
    terminal.say("/undo")
    terminal.wait_for("taken back")
    terminal.say("/retry")
    terminal.wait_for("no message to answer again")
    terminal.say(f"/load {talk}")
    terminal.wait_for("loaded 2 messages")
    terminal.say("/system")
    terminal.wait_for("be brief")
    terminal.say(f"/save {stdout}")
    terminal.wait_for("is no conversation")
    terminal.say("/nonsense")
    terminal.wait_for("there is no command /nonsense")
    terminal.wait_for(PROMPT)
    terminal.type(CTRL_D)
    assert terminal.ends() == 0
    saved = json.loads(talk.read_text())
    assert (saved["version"], saved["system"]) == (1, "be brief")
    question, answer = saved["messages"]
    assert question == {"role": "user", "content": "Tell me about a fox"}
    assert answer["cut"] is True
    assert stdout.read_text().rstrip("\n") == answer["content"].rstrip("\n"), "answers alone"


def test_lines_go_on_and_retry_gives_another_answer(
    terminals: list[Terminal], tmp_path: Path
) -> None:
    talk, again = tmp_path / "talk.json", tmp_path / "again.json"
    terminal = Terminal("-n", "16", "--temp", "1.5")
    terminals.append(terminal)
    terminal.say('"""first')
    terminal.type("second")
    terminal.type('third"""')
    terminal.wait_for("(stopped")
    terminal.say(f"/save {talk}")
    terminal.say("/retry")
    terminal.wait_for("(stopped")
    terminal.say(f"/save {again}")
    terminal.say("/exit")
    assert terminal.ends() == 0
    (question, first), (same, second) = (
        json.loads(path.read_text())["messages"] for path in (talk, again)
    )
    assert question["content"] == same["content"] == "first\nsecond\nthird"
    assert first["content"] != second["content"]


# The story model, let go on: as long an answer as its context of 512 tokens has room for, and then
# one token after the other on the slowest device.
ENDLESS = ("--device", "reference", "--temp", "1")


def test_ctrl_c_stops_the_answer_and_then_leaves(terminals: list[Terminal], tmp_path: Path) -> None:
    talk = tmp_path / "talk.json"
    terminal = Terminal(*ENDLESS)
    terminals.append(terminal)
    terminal.say("Once upon a time")
    terminal.wait_for("\n")
    time.sleep(0.3)
    terminal.type(CTRL_C)
    terminal.wait_for("(stopped)")
    terminal.say(f"/save {talk}")
    terminal.wait_for("saved 2 messages")
    assert json.loads(talk.read_text())["messages"][1]["cut"] is True
    terminal.wait_for(PROMPT)
    terminal.type(CTRL_C)
    assert terminal.ends() == 130


def test_the_screen_has_no_colours_if_they_are_not_wanted(terminals: list[Terminal]) -> None:
    for no_color in (False, True):
        terminal = Terminal(no_color=no_color)
        terminals.append(terminal)
        terminal.say("/nonsense")
        shown = terminal.wait_for("there is no command")
        assert ("\x1b[31m" in shown) is not no_color
        terminal.wait_for(PROMPT)
        terminal.type(CTRL_D)
        assert terminal.ends() == 0
