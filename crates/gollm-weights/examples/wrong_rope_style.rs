//! Writes the embedded model with the rows of its queries and keys in the order of adjacent pairs,
//! which no reader of `.gollm` expects: what chapter 11 shows of a file read in the wrong style.
//!
//! ```text
//! cargo run -p gollm-weights --example wrong_rope_style -- wrong.gollm
//! gollm generate -m wrong.gollm --temp 0 -n 60 "Once upon a time"
//! gollm perplexity -m wrong.gollm test_data/held-out-stories.txt
//! ```

use gollm_model::{WeightSource, rope};
use gollm_weights::{EncodedTensor, ModelFile, OpenOptions, write};

const EMBEDDED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../test_data/gollm-stories.gollm"
);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("give the file to write")?;
    let model = ModelFile::open(EMBEDDED, &OpenOptions::default())?;
    let mut tensors: Vec<EncodedTensor<Vec<u8>>> = Vec::new();
    for descriptor in model.descriptors() {
        let mut tensor = model.tensor(&descriptor.name)?;
        if let Some(n_heads) = turned_heads(&descriptor.name, &model) {
            let order = rope::halves_to_adjacent(n_heads, model.config().head_dim);
            tensor = tensor.permute_rows(&order)?;
        }
        let bytes = tensor.bytes.as_slice().to_vec();
        tensors.push((descriptor.name.clone(), tensor.shape, tensor.dtype, bytes));
    }
    write(path, model.metadata(), tensors)?;
    Ok(())
}

/// How many heads make up the rows of this tensor, if RoPE turns what it makes.
fn turned_heads(name: &str, model: &ModelFile) -> Option<usize> {
    let config = model.config();
    match name.rsplit_once(".attn.")?.1 {
        "q_proj.weight" => Some(config.n_heads),
        "k_proj.weight" => Some(config.n_kv_heads),
        _ => None,
    }
}
