//! Draws the figure of chapter 3: the three stages of one causal attention over the words "Your journey
//! starts with one step", with the numbers in their cells.
//!
//! `cargo run -p gollm-model --example figure_ch03` writes `notes/figures/ch03-attention.svg`; the test
//! `the_figure_shows_what_the_code_computes` of `ch03` fails when the file is not what this program
//! draws.

use std::error::Error;
use std::fmt::Write;

use gollm_model::ladder::{Attended, HeadWeights, causal, mask_future};
use ndarray::{Array2, array};

const WORDS: [&str; 6] = ["Your", "journey", "starts", "with", "one", "step"];

/// Sides and distances in pixels.
const CELL: usize = 46;
const PANEL: usize = CELL * WORDS.len();
const GAP: usize = 78;
const LEFT: usize = 66;
const TOP: usize = 74;
const WIDTH: usize = LEFT + 3 * PANEL + 2 * GAP + 16;
const HEIGHT: usize = TOP + PANEL + 62;

/// Colours of scores and weights: the first where a cell is lightest, the second where it is darkest.
const ORANGE: [[f32; 3]; 2] = [[255.0, 247.0, 236.0], [217.0, 95.0, 14.0]];
const BLUE: [[f32; 3]; 2] = [[247.0, 251.0, 255.0], [8.0, 81.0, 156.0]];

/// One 6 × 6 matrix with what is said about it.
struct Panel {
    title: &'static str,
    caption: [&'static str; 2],
    values: Array2<f32>,
    colours: [[f32; 3]; 2],
    /// The value of the darkest cell.
    darkest: f32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../notes/figures/ch03-attention.svg"
    );
    std::fs::write(path, svg()?)?;
    Ok(())
}

/// The figure as text; the same bytes each time.
///
/// # Errors
///
/// If a shape of the example is wrong.
pub(crate) fn svg() -> Result<String, Box<dyn Error>> {
    let mut out = String::new();
    let title = "Causal self-attention in three stages: scores, masked scores, weights";
    writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12" text-anchor="middle">
<title>{title}</title>
<defs><pattern id="masked" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#f0f0f0"/><path d="M0 6L6 0" stroke="#c4c4c4"/></pattern></defs>
<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>"##
    )?;
    for (t, word) in WORDS.iter().enumerate() {
        let y = TOP + t * CELL + CELL / 2 + 4;
        writeln!(
            out,
            r##"<text x="{}" y="{y}" text-anchor="end" fill="#333">{word}</text>"##,
            LEFT - 8
        )?;
    }
    for (i, panel) in panels()?.iter().enumerate() {
        let left = LEFT + i * (PANEL + GAP);
        if i > 0 {
            arrow(&mut out, left - GAP / 2, ["÷ √3, mask", "softmax"][i - 1])?;
        }
        draw(&mut out, panel, left)?;
    }
    out.push_str("</svg>\n");
    Ok(out)
}

/// The stages of attention whose projections change nothing, so that the scores are those of the
/// rung `dot_product`.
fn panels() -> Result<[Panel; 3], Box<dyn Error>> {
    let x = array![
        [0.43, 0.15, 0.89],
        [0.55, 0.87, 0.66],
        [0.57, 0.85, 0.64],
        [0.22, 0.58, 0.33],
        [0.77, 0.25, 0.10],
        [0.05, 0.80, 0.55],
    ];
    let same = Array2::eye(3);
    let head = HeadWeights {
        q_proj: same.clone(),
        k_proj: same.clone(),
        v_proj: same,
    };
    let Attended { weights, .. } = causal(&x, &head)?;
    let scores = x.dot(&x.t());
    let mut masked = &scores / 3.0f32.sqrt();
    mask_future(&mut masked);
    Ok([
        Panel {
            title: "1 scores = q kᵀ",
            caption: ["row: the token that looks", "column: the token it looks at"],
            values: scores,
            colours: ORANGE,
            darkest: 1.5,
        },
        Panel {
            title: "2 scaled and masked",
            caption: ["the future gets −∞,", "before softmax and not after"],
            values: masked,
            colours: ORANGE,
            darkest: 1.5,
        },
        Panel {
            title: "3 weights",
            caption: ["every row sums to 1;", "context = weights · v"],
            values: weights,
            colours: BLUE,
            darkest: 1.0,
        },
    ])
}

fn draw(out: &mut String, panel: &Panel, left: usize) -> std::fmt::Result {
    let middle = left + PANEL / 2;
    writeln!(
        out,
        r##"<text x="{middle}" y="28" font-size="15" fill="#111">{}</text>"##,
        panel.title
    )?;
    for (s, word) in WORDS.iter().enumerate() {
        let x = left + s * CELL + CELL / 2;
        writeln!(
            out,
            r##"<text x="{x}" y="{}" font-size="11" fill="#333">{word}</text>"##,
            TOP - 8
        )?;
    }
    for ((t, s), &value) in panel.values.indexed_iter() {
        cell(out, panel, [left + s * CELL, TOP + t * CELL], value, s > t)?;
    }
    for (line, caption) in panel.caption.iter().enumerate() {
        let y = TOP + PANEL + 24 + 18 * line;
        writeln!(
            out,
            r##"<text x="{middle}" y="{y}" fill="#333">{caption}</text>"##
        )?;
    }
    Ok(())
}

/// One number on its colour. A masked cell is hatched as well, so that colour is never all it has.
fn cell(
    out: &mut String,
    panel: &Panel,
    at: [usize; 2],
    value: f32,
    future: bool,
) -> std::fmt::Result {
    let share = (value / panel.darkest).clamp(0.0, 1.0);
    let masked = future && (value == f32::NEG_INFINITY || value == 0.0);
    let [light, dark] = panel.colours;
    let [red, green, blue] = [0, 1, 2].map(|i| (light[i] + (dark[i] - light[i]) * share).round());
    let fill = if masked {
        "url(#masked)".to_owned()
    } else {
        format!("rgb({red},{green},{blue})")
    };
    // Dark ink unless the ground is darker than middle grey.
    let is_dark = !masked && 0.3 * red + 0.6 * green + 0.1 * blue < 120.0;
    let ink = if is_dark { "#fff" } else { "#222" };
    let text = if value == f32::NEG_INFINITY {
        "−∞".to_owned()
    } else {
        format!("{value:.2}")
    };
    let [x, y] = at;
    writeln!(
        out,
        r##"<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{fill}" stroke="#fff"/><text x="{}" y="{}" fill="{ink}">{text}</text>"##,
        x + CELL / 2,
        y + CELL / 2 + 4,
    )
}

/// An arrow between two panels, around the horizontal position `middle`.
fn arrow(out: &mut String, middle: usize, label: &str) -> std::fmt::Result {
    let y = TOP + PANEL / 2;
    let (start, end) = (middle - 22, middle + 22);
    writeln!(
        out,
        r##"<path d="M{start} {y}H{end}m-7 -5l7 5l-7 5" fill="none" stroke="#555" stroke-width="1.5"/><text x="{middle}" y="{}" font-size="11" fill="#333">{label}</text>"##,
        y - 12,
    )
}
