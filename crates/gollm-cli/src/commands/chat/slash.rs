//! What begins with a slash is for gollm and not for the model.

use std::path::PathBuf;

/// The commands, with what they take and what they do.
pub(super) const COMMANDS: [(&str, &str, &str); 9] = [
    ("/help", "", "this list"),
    (
        "/system",
        "[TEXT]",
        "show or replace the system message; `/system -` removes it",
    ),
    ("/retry", "", "answer the last message again"),
    ("/undo", "", "take the last message and its answer back"),
    ("/reset", "", "forget all messages but the system message"),
    ("/save", "FILE", "write the conversation to a file"),
    ("/load", "FILE", "go on with a conversation from a file"),
    ("/stats", "", "how the last answer went"),
    ("/exit", "", "leave, as Ctrl-D does"),
];

/// What a person typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    Nothing,
    Message(String),
    Help,
    ShowSystem,
    System(Option<String>),
    Retry,
    Undo,
    Reset,
    Save(PathBuf),
    Load(PathBuf),
    Stats,
    Exit,
    /// What is wrong with a command.
    Wrong(String),
}

impl Typed {
    /// Reads a line, or several.
    pub(super) fn parse(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::Nothing;
        }
        if let Some(rest) = text.strip_prefix('/') {
            // Two slashes are a message that begins with one.
            return match rest.starts_with('/') {
                true => Self::Message(rest.to_owned()),
                false => Self::command(text.trim()),
            };
        }
        Self::Message(text.to_owned())
    }

    fn command(text: &str) -> Self {
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let takes_nothing = |typed: Self| match rest {
            "" => typed,
            _ => Self::Wrong(format!("{name} takes nothing; found `{rest}`")),
        };
        let takes_file = |typed: fn(PathBuf) -> Self| match rest {
            "" => Self::Wrong(format!("{name} needs the name of a file")),
            _ => typed(PathBuf::from(rest)),
        };
        match name {
            "/help" | "/?" => takes_nothing(Self::Help),
            "/system" if rest.is_empty() => Self::ShowSystem,
            "/system" => Self::System((rest != "-").then(|| rest.to_owned())),
            "/retry" => takes_nothing(Self::Retry),
            "/undo" => takes_nothing(Self::Undo),
            "/reset" | "/clear" => takes_nothing(Self::Reset),
            "/save" => takes_file(Self::Save),
            "/load" => takes_file(Self::Load),
            "/stats" => takes_nothing(Self::Stats),
            "/exit" | "/quit" | "/bye" => takes_nothing(Self::Exit),
            _ => Self::Wrong(format!(
                "there is no command {name}; /help lists them, and a message that begins with a slash is \
                 typed with two"
            )),
        }
    }
}

/// The list of commands, and what keys do.
pub(super) fn help() -> String {
    let mut text = String::new();
    for (name, takes, does) in COMMANDS {
        text += &format!("{:<16} {does}\n", format!("{name} {takes}"));
    }
    text + "\"\"\" before and after a message of several lines, or \\ at the end of a line\n\
            Ctrl-C stops an answer, and leaves while there is none; Ctrl-D leaves"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_messages() {
        let message = |text: &str| Typed::Message(text.to_owned());
        for (text, expected) in [
            ("", Typed::Nothing),
            (" \n\t", Typed::Nothing),
            ("hello /exit", message("hello /exit")),
            (" /exit", message(" /exit")),
            ("//etc is a folder", message("/etc is a folder")),
            ("/help", Typed::Help),
            ("/exit ", Typed::Exit),
            ("/bye", Typed::Exit),
            ("/system", Typed::ShowSystem),
            (
                "/system be brief ",
                Typed::System(Some("be brief".to_owned())),
            ),
            (
                "/system two\nlines",
                Typed::System(Some("two\nlines".to_owned())),
            ),
            ("/system -", Typed::System(None)),
            ("/save a b.json", Typed::Save("a b.json".into())),
            ("/load x", Typed::Load("x".into())),
        ] {
            assert_eq!(Typed::parse(text), expected, "{text:?}");
        }
        for (text, part) in [
            ("/save", "needs the name of a file"),
            ("/exit now", "takes nothing; found `now`"),
            ("/nothing", "there is no command /nothing"),
            ("/", "there is no command /;"),
        ] {
            let Typed::Wrong(problem) = Typed::parse(text) else {
                panic!("{text}");
            };
            assert!(problem.contains(part), "{problem}");
        }
    }

    #[test]
    fn every_command_of_the_list_is_one() {
        for (name, ..) in COMMANDS {
            let typed = Typed::parse(&format!("{name} "));
            let is_unknown =
                matches!(&typed, Typed::Wrong(problem) if problem.contains("no command"));
            assert!(!is_unknown, "{name}");
            assert!(help().contains(name));
        }
    }
}
