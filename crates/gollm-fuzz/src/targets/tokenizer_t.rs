//! distributed-llama's `.t`: a head, a template, then scores, lengths and bytes.

use gollm_tokenizer::Tokenizer;

use super::tokenizer;

/// Any bytes.
pub(crate) fn run(bytes: &[u8]) {
    if let Ok((read, template)) = Tokenizer::from_distributed_llama(bytes) {
        assert!(template.is_none_or(|template| template.len() < bytes.len()));
        tokenizer::check(&read, " <0x41> 1234 <|eot_id|> </s>");
    }
}
