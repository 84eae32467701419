//! What quantizing did: sizes, errors, and which tensors were spared.

use std::collections::BTreeMap;
use std::fmt::Write;

use gollm_model::is_router;
use gollm_tensor::DType;
use gollm_weights::{ModelFile, RoundingError, TensorChange};
use serde_json::{Value, json};

use super::Args;
use crate::numbers::{bytes, counted, grouped};

/// A file that has been written.
pub(super) struct Run<'a> {
    pub(super) args: &'a Args,
    pub(super) source: &'a ModelFile,
    pub(super) bytes_after: u64,
    pub(super) changes: &'a [TensorChange],
}

/// The tensors of one kind, such as all `attn.q_proj`, that are stored in one type.
#[derive(Default)]
struct Row {
    /// The first of them, which says where the row stands.
    first: usize,
    n_tensors: usize,
    n_values: usize,
    n_bytes: usize,
    error: RoundingError,
}

impl Run<'_> {
    /// A line for each kind of tensor that is stored more exactly than was asked for.
    pub(super) fn kept(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let vectors = self.changes.iter().filter(|change| !change.is_matrix());
        let n_vectors = vectors.count();
        if self.args.dtype != DType::F32 {
            let vectors = counted(n_vectors, "vector");
            lines.push(format!("{vectors} kept in f32 (the scales of the norms)"));
            let routers = self.changes.iter().filter(|change| is_router(&change.name));
            let n_routers = routers.count();
            if n_routers > 0 {
                let routers = counted(n_routers, "router");
                lines.push(format!("{routers} kept in f32 (they choose among experts)"));
            }
        }
        let ragged = self.changes.iter().filter(|change| self.is_ragged(change));
        lines.extend(ragged.map(|change| {
            let row = change.shape.last().copied().unwrap_or_default();
            format!(
                "{} is stored as {}: its rows of {row} are not whole blocks of {}",
                change.name,
                change.to,
                self.args.dtype.block_len()
            )
        }));
        lines
    }

    /// Whether a matrix could not take the type that was asked for.
    fn is_ragged(&self, change: &TensorChange) -> bool {
        change.is_matrix() && !is_router(&change.name) && change.to != self.args.dtype
    }

    pub(super) fn to_text(&self) -> String {
        let before = self.source.file_bytes();
        let rows = self.rows();
        let longest = rows.iter().map(|((kind, _), _)| kind.len()).max();
        let width = longest.unwrap_or(0).max(16);
        let mut text = format!(
            "{:<width$} {:>7}  {:<6} {:>13} {:>12} {:>10} {:>10}\n",
            "tensors", "number", "stored", "values", "bits/value", "RMS error", "largest"
        );
        for ((kind, dtype), row) in rows {
            let _ = writeln!(
                text,
                "{kind:<width$} {:>7}  {dtype:<6} {:>13} {:>12.2} {:>9.3}% {:>9.2}%",
                row.n_tensors,
                grouped(row.n_values as u128),
                8.0 * row.n_bytes as f64 / row.n_values.max(1) as f64,
                100.0 * row.error.relative_rms(),
                100.0 * row.error.relative_largest(),
            );
        }
        let _ = writeln!(
            text,
            "\n{} ({}) to {} ({}): {:.1} % of the size\nwritten to {}",
            bytes(before as u128),
            self.source.config().dtype,
            bytes(self.bytes_after.into()),
            self.args.dtype,
            100.0 * self.bytes_after as f64 / before as f64,
            self.args.out.display(),
        );
        text
    }

    pub(super) fn to_json(&self) -> Value {
        let rows = self.rows().into_iter().map(|((kind, dtype), row)| {
            json!({
                "tensors": kind,
                "n_tensors": row.n_tensors,
                "dtype": dtype,
                "n_values": row.n_values,
                "n_bytes": row.n_bytes,
                "relative_rms_error": row.error.relative_rms(),
                "relative_largest_error": row.error.relative_largest(),
            })
        });
        let ragged = self.changes.iter().filter(|change| self.is_ragged(change));
        json!({
            "path": self.args.out.to_string_lossy(),
            "dtype_before": self.source.config().dtype.name(),
            "dtype": self.args.dtype.name(),
            "bytes_before": self.source.file_bytes(),
            "bytes_after": self.bytes_after,
            "not_whole_blocks": ragged.map(|change| &change.name).collect::<Vec<_>>(),
            "tensors": rows.collect::<Vec<_>>(),
        })
    }

    /// The kinds of tensors, in the order of the file.
    fn rows(&self) -> Vec<((&str, &'static str), Row)> {
        let mut rows: BTreeMap<(&str, &'static str), Row> = BTreeMap::new();
        for (index, change) in self.changes.iter().enumerate() {
            let key = (kind(&change.name), change.to.name());
            let row = rows.entry(key).or_insert_with(|| Row {
                first: index,
                ..Row::default()
            });
            row.n_tensors += 1;
            row.n_values += change.shape.iter().product::<usize>();
            // The shape was stored in this type, so its bytes can be counted.
            row.n_bytes += change.to.n_bytes(&change.shape).unwrap_or_default();
            row.error = row.error.with(change.error);
        }
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_by_key(|(_, row)| row.first);
        rows
    }
}

/// A tensor's name without its layer and without `.weight`: `blocks.3.attn.q_proj.weight` is an
/// `attn.q_proj`.
fn kind(name: &str) -> &str {
    let name = name.strip_suffix(".weight").unwrap_or(name);
    match name
        .strip_prefix("blocks.")
        .and_then(|rest| rest.split_once('.'))
    {
        Some((_, kind)) => of_experts(kind).unwrap_or(kind),
        None => name,
    }
}

/// All experts of all layers are one kind for each of their three matrices.
fn of_experts(kind: &str) -> Option<&'static str> {
    match kind.strip_prefix("ffn.experts.")?.split_once('.')?.1 {
        "gate_proj" => Some("ffn.experts.gate_proj"),
        "up_proj" => Some("ffn.experts.up_proj"),
        "down_proj" => Some("ffn.experts.down_proj"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_a_name_without_its_layer() {
        for (name, expected) in [
            ("tok_emb.weight", "tok_emb"),
            ("blocks.0.attn_norm.weight", "attn_norm"),
            ("blocks.11.ffn.down_proj.weight", "ffn.down_proj"),
            (
                "blocks.2.ffn.experts.17.up_proj.weight",
                "ffn.experts.up_proj",
            ),
            ("blocks.2.attn.q_proj.bias", "attn.q_proj.bias"),
        ] {
            assert_eq!(kind(name), expected);
        }
    }
}
