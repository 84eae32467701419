//! A template as instructions, with a check in each place where one makes something.
//!
//! The engine's parser and interpreter are used as they are; between the two, instructions that make
//! text or lists without asking are replaced by calls of our functions (`operators.rs`), and what is
//! kept in a variable is looked at first. Names of these functions hold a space, so no template can
//! name or replace them.

use minijinja::machinery::{CodeGenerator, Instruction, Instructions, parse};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Error, ErrorKind, Value};

use super::budget::refused;
use super::shape;

/// The functions that stand in for instructions.
pub(crate) const ADD: &str = "the sum";
pub(crate) const MULTIPLY: &str = "the product";
pub(crate) const CONCATENATE: &str = "the text";
pub(crate) const CHECKED: &str = "the value";
pub(crate) const FOR_NAMESPACE: &str = "the attribute";

/// Chat templates are written for these settings of Jinja2.
/// Source: <https://huggingface.co/docs/transformers/chat_templating_writing>.
pub(crate) fn syntax() -> Result<SyntaxConfig, Error> {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
}

/// Compiles a template.
pub(crate) fn compile(source: &str) -> Result<Instructions<'_>, Error> {
    shape::check(source)?;
    let parsed = parse(source, "chat template", syntax()?)?;
    let mut generator = CodeGenerator::new("chat template", source);
    generator.compile_stmt(&parsed);
    let (instructions, _) = generator.finish();
    check_alone(&instructions)?;
    Ok(guarded(&instructions, source))
}

/// Refuses what needs other templates. The engine cannot be built without it.
fn check_alone(instructions: &Instructions<'_>) -> Result<(), Error> {
    use Instruction as I;
    let mut every = (0u32..).map_while(|at| instructions.get(at));
    let needs_others = |instruction: &I<'_>| {
        matches!(
            instruction,
            I::CallBlock(_) | I::FastSuper | I::LoadBlocks | I::Include(_) | I::ExportLocals
        )
    };
    match every.any(needs_others) {
        false => Ok(()),
        true => Err(refused(
            "it uses `block`, `extends`, `include` or `import`; a chat template stands alone",
        )),
    }
}

/// The same instructions with checks between them, jumps adjusted.
fn guarded<'source>(
    instructions: &Instructions<'source>,
    source: &'source str,
) -> Instructions<'source> {
    let every = || (0u32..).map_while(|at| Some((at, instructions.get(at)?)));
    // Where each instruction comes to stand; one more for a jump behind the last.
    let mut places = vec![0u32];
    for (_, instruction) in every() {
        let n = checked(instruction, &[]).len() as u32;
        places.push(places[places.len() - 1] + n);
    }
    let mut result = Instructions::new("chat template", source);
    for (at, instruction) in every() {
        let line = instructions.get_line(at).unwrap_or_default();
        for instruction in checked(instruction, &places) {
            result.add_with_line(instruction, u16::try_from(line).unwrap_or(u16::MAX));
        }
    }
    result
}

/// One instruction with its checks.
fn checked<'source>(
    instruction: &Instruction<'source>,
    places: &[u32],
) -> Vec<Instruction<'source>> {
    use Instruction as I;
    let call = |name, n_arguments| I::CallFunction(name, Some(n_arguments));
    let to = |old: &u32| places.get(*old as usize).copied().unwrap_or_default();
    match instruction {
        I::Add => vec![call(ADD, 2)],
        I::Mul => vec![call(MULTIPLY, 2)],
        I::StringConcat => vec![call(CONCATENATE, 2)],
        // By way of the formatter, which counts.
        I::EmitRaw(text) => vec![I::LoadConst(Value::from(*text)), I::Emit],
        I::StoreLocal(name) => vec![call(CHECKED, 1), I::StoreLocal(name)],
        I::BuildList(_) | I::BuildTuple(_) | I::BuildMap(_) | I::Slice => {
            vec![instruction.clone(), call(CHECKED, 1)]
        }
        // The value lies below the namespace.
        I::SetAttr(name) => vec![I::Swap, call(FOR_NAMESPACE, 1), I::Swap, I::SetAttr(name)],
        I::Iterate(at) => vec![I::Iterate(to(at))],
        I::Jump(at) => vec![I::Jump(to(at))],
        I::JumpIfFalse(at) => vec![I::JumpIfFalse(to(at))],
        I::JumpIfFalseOrPop(at) => vec![I::JumpIfFalseOrPop(to(at))],
        I::JumpIfTrueOrPop(at) => vec![I::JumpIfTrueOrPop(to(at))],
        I::BuildMacro(name, at, flags) => vec![I::BuildMacro(name, to(at), *flags)],
        other => vec![other.clone()],
    }
}

/// What the engine could not read, or would not run: `(line, problem)`.
pub(crate) fn explain(error: &Error) -> (Option<usize>, String) {
    let problem = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it runs too long; gollm stopped it".to_owned(),
        (ErrorKind::InvalidOperation, Some(detail)) => detail.to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    (error.line(), problem)
}
