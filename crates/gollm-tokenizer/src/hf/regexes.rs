//! Our patterns as the expressions of a Split step.

use crate::Pattern;

/// The expressions by which published files cut in the way of `pattern`; the first is the one that is
/// written. None where the way is no Split but a step of its own.
///
/// They are for the engine Oniguruma, which reads two things of cl100k's own expression otherwise:
/// there `{1,3}+` is a repetition and `$` the end of a line. So it is written without the first and
/// with `\z`.
///
/// Source: the `pre_tokenizer` of the published `tokenizer.json` files.
pub(super) fn expressions(pattern: Pattern) -> &'static [&'static str] {
    match pattern {
        Pattern::Gpt2 => &[
            r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
            r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        ],
        Pattern::Cl100k => &[concat!(
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|",
            r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s+\z|\s*[\r\n]|\s+(?!\S)|\s",
        )],
        Pattern::O200k => const { &[Pattern::O200k.regex()] },
        Pattern::Llama3 => const { &[Pattern::Llama3.regex()] },
        Pattern::Qwen2 => const { &[Pattern::Qwen2.regex()] },
        Pattern::SmolLm => &[],
    }
}
