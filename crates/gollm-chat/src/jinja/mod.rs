//! Jinja for untrusted templates: a sandbox with budgets of instructions, memory and work.
//!
//! A chat template comes inside a model file, so it is a program that nobody has looked at. It is
//! run by minijinja with nothing to reach for (`environment.rs`), its instructions are counted
//! (fuel), and so are the bytes that it makes and reads (`budget.rs`): what a call costs is in
//! `callables.rs` and `call_cost.rs`, what an instruction costs in `compile.rs` and
//! `operand_cost.rs`.

mod budget;
mod call_cost;
mod callables;
mod comparison_cost;
mod compile;
mod dates;
mod environment;
mod json_text;
mod operand_cost;
mod operators;
mod python_text;
mod shape;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use minijinja::{AutoEscape, Value, machinery};

use self::budget::Budget;
use crate::Error;

/// Instructions that any template may take, and how many more for each message.
const FUEL: u64 = 100_000;
const FUEL_PER_MESSAGE: u64 = 4_000;
/// Bytes that any template may make, and how many more for each byte of the conversation: templates
/// trim, split and copy, and every copy counts.
const BYTES: usize = 8 << 20;
const BYTES_PER_BYTE: usize = 100;
/// Bytes that any template may make or read, and how many more for each byte of the conversation.
const WORK: usize = 32 << 20;
const WORK_PER_BYTE: usize = 300;

/// Why a template could not be read or run, and in which line.
pub(crate) fn failure(error: &minijinja::Error) -> Error {
    let (line, problem) = compile::explain(error);
    Error::Template { line, problem }
}

/// Reads a template without running it.
pub(crate) fn check(source: &str) -> Result<(), Error> {
    compile::compile(source)
        .map(|_| ())
        .map_err(|error| failure(&error))
}

/// Runs a template. `n_messages` and `n_bytes` say how much it has to do.
pub(crate) fn render(
    source: &str,
    variables: Value,
    (n_messages, n_bytes): (usize, usize),
    now: SystemTime,
) -> Result<String, Error> {
    let budget = Arc::new(budget_for(n_bytes));
    let fuel = FUEL.saturating_add(FUEL_PER_MESSAGE.saturating_mul(n_messages as u64));
    render_within(source, variables, &budget, fuel, now).map_err(|error| failure(&error))
}

/// What may be made and read for a conversation of `n_bytes`.
fn budget_for(n_bytes: usize) -> Budget {
    Budget::new(
        BYTES.saturating_add(n_bytes.saturating_mul(BYTES_PER_BYTE)),
        WORK.saturating_add(n_bytes.saturating_mul(WORK_PER_BYTE)),
    )
}

fn render_within(
    source: &str,
    variables: Value,
    budget: &Arc<Budget>,
    fuel: u64,
    now: SystemTime,
) -> Result<String, minijinja::Error> {
    let instructions = compile::compile(source)?;
    let environment = environment::environment(budget, fuel, now)?;
    let blocks = BTreeMap::new();
    let mut text = String::new();
    let mut output = machinery::make_string_output(&mut text);
    machinery::eval(
        &environment,
        &instructions,
        variables,
        &blocks,
        &mut output,
        AutoEscape::None,
    )?;
    drop(output);
    Ok(text)
}

#[cfg(test)]
mod listed;
#[cfg(test)]
mod tests;
