//! Rows as Markdown, CSV or JSON.

use clap::ValueEnum;
use serde::Serialize;

use crate::cli_error::CliError;
use crate::output;

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A Markdown table
    Md,
    /// Comma-separated values with a line of names
    Csv,
    /// One JSON array of objects
    Json,
}

/// One measurement of a model.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub(super) model: String,
    /// Parameters of the model.
    pub(super) n_params: u64,
    #[serde(rename = "type")]
    pub(super) dtype: String,
    pub(super) device: String,
    pub(super) kernels: String,
    /// 0: the device computes on none of the CPU's.
    pub(super) n_threads: usize,
    pub(super) n_batch: usize,
    /// `pp512`, `tg128`, `tg128@8`.
    pub(super) test: String,
    /// Tokens a second, mean and standard deviation of the repetitions.
    pub(super) avg_ts: f64,
    pub(super) stddev_ts: f64,
    /// Bytes that one step reads (one pass over the weights), and operations it does.
    pub(super) bytes_per_step: u64,
    pub(super) flops_per_step: u64,
    /// Measured in this run.
    pub(super) bandwidth_gb_s: Option<f64>,
    pub(super) peak_gflop_s: Option<f64>,
    /// What the slower of the two allows, in tokens a second.
    pub(super) roofline_ts: Option<f64>,
    pub(super) roofline_limit: Option<&'static str>,
    pub(super) roofline_fraction: Option<f64>,
}

/// Prints rows to stdout.
pub(super) fn print(rows: &[Row], format: Format) -> Result<(), CliError> {
    match format {
        Format::Json => output::print_json(&rows),
        Format::Md => output::print_report(&markdown(rows)),
        Format::Csv => output::print_report(&csv(rows)?),
    }
}

fn markdown(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        let roofline = match (row.roofline_ts, row.roofline_limit) {
            (Some(ts), Some(limit)) => format!("{ts:.1} ({limit})"),
            _ => "–".to_owned(),
        };
        let fraction = row
            .roofline_fraction
            .map_or_else(|| "–".to_owned(), |f| format!("{:.0} %", 100.0 * f));
        [
            row.model.clone(),
            row.dtype.clone(),
            format!("{} {}", row.device, row.kernels)
                .trim_end()
                .to_owned(),
            match row.n_threads {
                0 => "–".to_owned(),
                n => n.to_string(),
            },
            row.test.clone(),
            format!("{:.1} ± {:.1}", row.avg_ts, row.stddev_ts),
            roofline,
            fraction,
        ]
    });
    let names = [
        "model",
        "type",
        "device",
        "threads",
        "test",
        "t/s",
        "roofline t/s",
        "reached",
    ];
    aligned(&names.map(str::to_owned), &cells.collect::<Vec<_>>(), 3)
}

/// A Markdown table whose columns line up; the first `n_left` are aligned to the left.
pub(super) fn aligned<const N: usize>(
    names: &[String; N],
    rows: &[[String; N]],
    n_left: usize,
) -> String {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .chain([names])
            .map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let line = |cells: &[String; N]| {
        let padded = cells.iter().enumerate().map(|(column, cell)| {
            let room = width(column);
            if column < n_left {
                format!(" {cell:<room$} |")
            } else {
                format!(" {cell:>room$} |")
            }
        });
        format!("|{}\n", padded.collect::<String>())
    };
    let rule: String = (0..N)
        .map(|column| {
            let dashes = "-".repeat(width(column) + 1);
            let (left, right) = if column < n_left {
                (":", "")
            } else {
                ("", ":")
            };
            format!("{left}{dashes}{right}|")
        })
        .collect();
    let body: String = rows.iter().map(line).collect();
    format!("{}|{rule}\n{body}", line(names))
}

/// The fields of [`Row`] in their order, with a line of names.
fn csv(rows: &[Row]) -> Result<String, CliError> {
    let mut text = String::new();
    for row in rows {
        let value = serde_json::to_value(row)
            .map_err(|error| CliError::runtime(format!("cannot write the row: {error}")))?;
        let Some(fields) = value.as_object() else {
            continue;
        };
        if text.is_empty() {
            text.push_str(
                &fields
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(","),
            );
            text.push('\n');
        }
        let cells = fields.values().map(|value| match value {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) if text.contains([',', '"', '\n']) => {
                format!("\"{}\"", text.replace('"', "\"\""))
            }
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        text.push_str(&cells.collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let names = ["a", "long name"].map(str::to_owned);
        let rows = [["first".to_owned(), "1".to_owned()]];
        assert_eq!(
            aligned(&names, &rows, 1),
            "| a     | long name |\n|:------|----------:|\n| first |         1 |\n"
        );
    }
}
