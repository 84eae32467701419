//! Template compilation: the engine's instructions, with a charge before each that makes or reads
//! much.
//!
//! The engine's parser and interpreter are used as they are; between the two, instructions that
//! make text are replaced by calls of our functions (`operators.rs`), and before those that read
//! their operands to the end the operands are looked at (`operand_cost.rs`). Names of these
//! functions hold a space, so no template can name or replace them.

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
/// And those that stand before them.
pub(crate) const ITERATED: &str = "the loop";
pub(crate) const COMPARED: &str = "the comparison";
pub(crate) const SEARCHED: &str = "the search";
pub(crate) const CHAINED: &str = "the chain";
pub(crate) const INDEXED: &str = "the item";
pub(crate) const SLICED: &str = "the slice";
pub(crate) const UNPACKED: &str = "the lists";
pub(crate) const GIVEN: &str = "the arguments";

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
    check_instructions(&instructions)?;
    Ok(guarded(&instructions, source))
}

/// Refuses what needs other templates (the engine cannot be built without it), and what divides by
/// a number of arguments that may be zero.
fn check_instructions(instructions: &Instructions<'_>) -> Result<(), Error> {
    use Instruction as I;
    for instruction in (0u32..).map_while(|at| instructions.get(at)) {
        match instruction {
            I::CallBlock(_) | I::FastSuper | I::LoadBlocks | I::Include(_) | I::ExportLocals => {
                return Err(refused(
                    "it uses `block`, `extends`, `include` or `import`; a chat template stands alone",
                ));
            }
            I::CallMethod("cycle", None | Some(..=1)) => {
                return Err(refused("it uses `cycle` without a value to choose"));
            }
            _ => {}
        }
    }
    Ok(())
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

/// One instruction with its checks. Every instruction is listed, so that this does not compile when
/// the engine gains one.
fn checked<'source>(
    instruction: &Instruction<'source>,
    places: &[u32],
) -> Vec<Instruction<'source>> {
    use Instruction as I;
    let call = |name, n_arguments| I::CallFunction(name, Some(n_arguments));
    let to = |old: &u32| places.get(*old as usize).copied().unwrap_or_default();
    let after = |name| vec![instruction.clone(), call(name, 1)];
    let before = |name, n_operands| looked_at(name, n_operands, instruction);
    match instruction {
        I::Add => vec![call(ADD, 2)],
        I::Mul => vec![call(MULTIPLY, 2)],
        I::StringConcat => vec![call(CONCATENATE, 2)],
        // By way of the formatter, which counts.
        I::EmitRaw(text) => vec![I::LoadConst(Value::from(*text)), I::Emit],
        I::StoreLocal(name) => vec![call(CHECKED, 1), I::StoreLocal(name)],
        I::BuildList(_) | I::BuildTuple(_) | I::BuildMap(_) => after(CHECKED),
        I::Slice => {
            let mut slice = before(SLICED, 4);
            slice.push(call(CHECKED, 1));
            slice
        }
        // The value lies below the namespace.
        I::SetAttr(name) => vec![I::Swap, call(FOR_NAMESPACE, 1), I::Swap, I::SetAttr(name)],
        I::GetItem => before(INDEXED, 2),
        I::Eq | I::Ne | I::Gt | I::Gte | I::Lt | I::Lte => before(COMPARED, 2),
        I::In => before(SEARCHED, 2),
        I::CompareAndPreserve(_) => before(CHAINED, 2),
        I::UnpackLists(n) | I::MergeKwargs(n) => before(UNPACKED, *n),
        I::PushLoop(_) | I::FastRecurse => vec![call(ITERATED, 1), instruction.clone()],
        // A loop compares these with those of the turn before.
        I::CallMethod("changed", Some(n)) => before(UNPACKED, usize::from(*n)),
        // Ours are charged when they are called; this is for macros, and the loop's own methods.
        I::CallFunction(_, Some(n)) | I::CallMethod(_, Some(n)) if *n > 0 => {
            before(GIVEN, usize::from(*n))
        }
        I::Iterate(at) => vec![I::Iterate(to(at))],
        I::Jump(at) => vec![I::Jump(to(at))],
        I::JumpIfFalse(at) => vec![I::JumpIfFalse(to(at))],
        I::JumpIfFalseOrPop(at) => vec![I::JumpIfFalseOrPop(to(at))],
        I::JumpIfTrueOrPop(at) => vec![I::JumpIfTrueOrPop(to(at))],
        I::BuildMacro(name, at, flags) => vec![I::BuildMacro(name, to(at), *flags)],
        // Numbers, or an error.
        I::Sub | I::Div | I::IntDiv | I::Rem | I::Pow | I::Neg | I::Not
        // Charged where they are called, and where their arguments were unpacked.
        | I::ApplyFilter(..) | I::PerformTest(..) | I::CallFunction(..) | I::CallMethod(..)
        | I::CallObject(_) | I::Emit
        // One step each, however large the values are.
        | I::Lookup(_) | I::GetAttr(_) | I::LoadConst(_) | I::BuildKwargs(_) | I::UnpackList(_)
        | I::PushWith | I::PushDidNotIterate | I::PopFrame | I::PopLoopFrame | I::PushAutoEscape
        | I::PopAutoEscape | I::BeginCapture(_) | I::EndCapture | I::DupTop | I::DiscardTop
        | I::Swap | I::Return | I::IsUndefined | I::Enclose(_) | I::GetClosure
        // Refused above.
        | I::FastSuper | I::CallBlock(_) | I::LoadBlocks | I::Include(_) | I::ExportLocals => {
            vec![instruction.clone()]
        }
    }
}

/// An instruction whose operands are put in a list, looked at by a function, and taken out again.
fn looked_at<'source>(
    name: &'static str,
    n_operands: usize,
    instruction: &Instruction<'source>,
) -> Vec<Instruction<'source>> {
    vec![
        Instruction::BuildList(Some(n_operands)),
        Instruction::CallFunction(name, Some(1)),
        Instruction::UnpackList(n_operands),
        instruction.clone(),
    ]
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
