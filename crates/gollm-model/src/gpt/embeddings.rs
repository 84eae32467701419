//! Token and position embeddings: GPT-2 learns one vector for each place in the context.

use gollm_tensor::check_shape;
use ndarray::Array2;

use crate::error::Result;

/// Two tables: one row for each token id, one row for each position.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    /// `[vocab_size, emb_dim]`.
    pub tokens: Array2<f32>,
    /// `[context_length, emb_dim]`; there is no vector for a later place, so this is a hard limit.
    pub positions: Array2<f32>,
}

impl Embeddings {
    /// Adds each token's vector and the vector of its place: `x_t = tokens[id_t] + positions[t]`.
    ///
    /// # Shapes
    ///
    /// - `ids`: `[n_tokens]`, at least one
    /// - returns `[n_tokens, emb_dim]`
    ///
    /// # Errors
    ///
    /// If there is no id, an id is not below `vocab_size`, there are more ids than positions, or the tables are not
    /// equally wide.
    ///
    /// Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, section 2.8.
    pub fn forward(&self, ids: &[u32]) -> Result<Array2<f32>> {
        let Self { tokens, positions } = self;
        let (context_length, emb_dim) = (positions.nrows(), tokens.ncols());
        check_shape!("embeddings", positions, [context_length, emb_dim])?;
        if ids.is_empty() {
            let (operation, name, found) = ("embeddings", "ids", vec![0]);
            let expected = "at least one token id".to_owned();
            return Err(gollm_tensor::Error::Shape {
                operation,
                name,
                found,
                expected,
            }
            .into());
        }
        if ids.len() > context_length {
            return Err(out_of_range("position", ids.len() - 1, context_length));
        }
        let mut x = Array2::zeros((ids.len(), emb_dim));
        for (t, &id) in ids.iter().enumerate() {
            let id = id as usize;
            if id >= tokens.nrows() {
                return Err(out_of_range("token id", id, tokens.nrows()));
            }
            x.row_mut(t).assign(&(&tokens.row(id) + &positions.row(t)));
        }
        Ok(x)
    }
}

fn out_of_range(name: &'static str, found: usize, limit: usize) -> crate::Error {
    gollm_tensor::Error::OutOfRange {
        operation: "embeddings",
        name,
        found,
        limit,
    }
    .into()
}
