//! A conversation in a terminal.

use std::path::Path;

use gollm_chat::{Error, Saved};
use gollm_engine::FinishReason;

use super::editor::{LineEditor, Read};
use super::session::Session;
use super::slash::{Typed, help};
use crate::cli_error::{CliError, Status};
use crate::numbers::counted;
use crate::output;

/// Reads and answers until the person leaves.
pub(super) fn run(session: &mut Session) -> Result<Status, CliError> {
    let mut editor = LineEditor::new()?;
    session.notes.say("/help lists the commands, Ctrl-D leaves");
    if !session.conversation.messages().is_empty() {
        say_loaded(session);
    }
    loop {
        let typed = match editor.read()? {
            Read::Text(text) => Typed::parse(&text),
            Read::End => return Ok(Status::Done),
            Read::Interrupt => return Ok(Status::Interrupted),
        };
        if typed == Typed::Exit {
            return Ok(Status::Done);
        }
        let done = obey(session, typed);
        // A closed stdout ends the conversation; anything else can be put right in it.
        match done {
            Err(failure) if failure.is_final() => return Err(failure),
            Err(failure) => output::error(failure.message()),
            Ok(()) => {}
        }
    }
}

fn obey(session: &mut Session, typed: Typed) -> Result<(), CliError> {
    let notes = session.notes;
    match typed {
        Typed::Nothing | Typed::Exit => {}
        Typed::Message(text) => ask(session, &text)?,
        Typed::Help => output::say(help()),
        Typed::ShowSystem => match session.conversation.system() {
            Some(text) => output::say(text),
            None => output::say("there is no system message; `/system TEXT` sets one"),
        },
        Typed::System(text) => {
            session.conversation.set_system(text);
            notes.say("the system message holds from the next message on");
        }
        Typed::Retry => match session.conversation.take_back() {
            Some(question) => ask(session, &question)?,
            None => output::say("there is no message to answer again"),
        },
        Typed::Undo => match session.conversation.take_back() {
            Some(_) => notes.say("the last message and its answer are taken back"),
            None => output::say("there is no message to take back"),
        },
        Typed::Reset => {
            session.conversation.reset();
            notes.say("all messages are forgotten");
        }
        Typed::Save(path) => save(session, &path)?,
        Typed::Load(path) => {
            session.conversation.load(Saved::read(&path)?);
            say_loaded(session);
        }
        Typed::Stats => match session.statistics() {
            Some(line) => output::say(line),
            None => output::say("there is no answer yet"),
        },
        Typed::Wrong(problem) => output::error(&problem),
    }
    Ok(())
}

fn ask(session: &mut Session, text: &str) -> Result<(), CliError> {
    let why = match session.ask(text)? {
        FinishReason::Cancelled => "stopped",
        FinishReason::Length => "stopped at --max-tokens",
        FinishReason::Context => "stopped, since the context is full",
        _ => return Ok(()),
    };
    session.notes.say(format_args!("({why})"));
    Ok(())
}

/// Writes the conversation; replaces another conversation, and no other file.
fn save(session: &Session, path: &Path) -> Result<(), CliError> {
    match Saved::read(path) {
        Ok(_) => {}
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
        Err(_) => {
            let problem = "it is there already and is no conversation; give another name";
            return Err(CliError::write(path, problem));
        }
    }
    let saved = session.conversation.to_saved();
    saved.write(path)?;
    let n_messages = counted(saved.messages.len(), "message");
    session
        .notes
        .say(format_args!("saved {n_messages} to {}", path.display()));
    Ok(())
}

fn say_loaded(session: &Session) {
    let messages = session.conversation.messages();
    let n_messages = counted(messages.len(), "message");
    session.notes.say(format_args!("loaded {n_messages}"));
    if let Some(last) = messages.last() {
        session
            .notes
            .say(format_args!("the last one: {}", beginning(&last.content)));
    }
}

/// The first words of a message.
fn beginning(text: &str) -> String {
    let text = text.trim();
    let mut words: String = text.chars().take(60).collect();
    if words.len() < text.len() {
        words.push('…');
    }
    words.replace('\n', " ")
}
