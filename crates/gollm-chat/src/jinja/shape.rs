//! Template limits: refused here is what would fill the stack or the memory while the engine reads
//! it, before there is anything to count.

use minijinja::Error;
use minijinja::machinery::{Token, tokenize};

use super::budget::refused;
use super::compile::syntax;

/// How deep brackets, and blocks, may lie in each other.
const MAX_DEPTH: usize = 100;
/// Words and signs of one tag: `a + b + c` lies as deep as it is long.
const MAX_TOKENS: usize = 1_000;
/// The longest name: each step that uses a name reads it.
const MAX_NAME_BYTES: usize = 256;
/// How long a repeated constant may become, such as `'=' * 40`: the engine makes it while it
/// compiles.
const MAX_REPEATED: u64 = 256;

/// Statements that have an end.
const BLOCKS: [&str; 10] = [
    "autoescape",
    "block",
    "call",
    "filter",
    "for",
    "if",
    "macro",
    "raw",
    "set",
    "with",
];

/// Looks at a template's tags, one after the other.
pub(crate) fn check(source: &str) -> Result<(), Error> {
    let mut tag: Vec<Token<'_>> = Vec::new();
    let mut blocks = Blocks::default();
    for token in tokenize(source, false, syntax()?) {
        let (token, span) = token?;
        let at = |problem: &str| refused(format!("line {} {problem}", span.start_line));
        match token {
            Token::VariableStart | Token::BlockStart => tag.clear(),
            Token::VariableEnd | Token::BlockEnd => {
                if deepest(&tag) > MAX_DEPTH {
                    return Err(at("is too deeply nested"));
                }
                if !is_harmless(&tag) {
                    return Err(at("repeats a constant; write it out, or repeat a variable"));
                }
                if matches!(token, Token::BlockEnd) && blocks.depth_after(&tag) > MAX_DEPTH {
                    return Err(at("lies in too many blocks"));
                }
            }
            Token::Ident(name) if name.len() > MAX_NAME_BYTES => {
                return Err(at("has a name that is too long"));
            }
            token => {
                tag.push(token);
                if tag.len() > MAX_TOKENS {
                    return Err(at("has a tag that is too long"));
                }
            }
        }
    }
    Ok(())
}

/// The blocks that are open, and for each of them how many conditions it has so far.
#[derive(Default)]
struct Blocks(Vec<usize>);

impl Blocks {
    /// How deep the engine is after this tag. Each `elif` lies in the one before.
    fn depth_after(&mut self, tag: &[Token<'_>]) -> usize {
        let Some(Token::Ident(word)) = tag.first() else {
            return 0;
        };
        // `{% set a = 1 %}` has no end, `{% set a %}` has one.
        let is_alone = *word == "set" && tag.iter().any(|token| matches!(token, Token::Assign));
        if word.starts_with("end") {
            self.0.pop();
        } else if *word == "elif" {
            self.0.last_mut().into_iter().for_each(|n| *n += 1);
        } else if BLOCKS.contains(word) && !is_alone {
            self.0.push(1);
        }
        self.0.iter().sum()
    }
}

/// The most brackets that are open at a time, with the signs in front of a value.
fn deepest(tag: &[Token<'_>]) -> usize {
    let (mut open, mut signs, mut most) = (0_usize, 0, 0);
    for token in tag {
        match token {
            Token::BracketOpen | Token::ParenOpen | Token::BraceOpen => open += 1,
            Token::BracketClose | Token::ParenClose | Token::BraceClose => {
                open = open.saturating_sub(1);
            }
            Token::Minus | Token::Ident("not") => signs += 1,
            _ => signs = 0,
        }
        most = most.max(open + signs);
    }
    most
}

/// Whether no product in this tag can be of a constant text or list, but for a short one.
fn is_harmless(tag: &[Token<'_>]) -> bool {
    let is_product = |token: &Token<'_>| matches!(token, Token::Mul | Token::Pow);
    match tag.iter().filter(|token| is_product(token)).count() {
        0 => return true,
        1 => {}
        _ => return !tag.iter().any(can_be_repeated),
    }
    let short = tag.windows(3).any(|three| match three {
        [Token::Str(text), Token::Mul, Token::Int(n)]
        | [Token::Int(n), Token::Mul, Token::Str(text)] => {
            (text.len() as u64).saturating_mul(*n) <= MAX_REPEATED
        }
        _ => false,
    });
    // What stands directly beside the product is a name, so it is not a constant.
    let named = tag
        .windows(3)
        .any(|three| matches!(three, [Token::Ident(_), Token::Mul, Token::Ident(_)]));
    short || named || !tag.iter().any(can_be_repeated)
}

fn can_be_repeated(token: &Token<'_>) -> bool {
    matches!(
        token,
        Token::Str(_) | Token::String(_) | Token::BracketOpen | Token::BraceOpen
    )
}
