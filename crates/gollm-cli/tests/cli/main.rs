//! The binary as a person and a script meet it: every command, every mistake, every exit code.

mod files;
mod generate;
mod mistakes;
mod shell;
mod support;
mod tokenizer;
