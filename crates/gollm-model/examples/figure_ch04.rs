//! Draws the figure of chapter 4: how RoPE turns the four pairs of a head of eight numbers, position by
//! position, each pair as the hand of a dial.
//!
//! `cargo run -p gollm-model --example figure_ch04` writes `notes/figures/ch04-rope.svg`; the tests of
//! `figure_ch04` fail when the file is not what this program draws.

use std::error::Error;
use std::f64::consts::TAU;
use std::fmt::Write;

use gollm_model::{Config, rope};

const HEAD_DIM: usize = 8;
const N_POSITIONS: usize = 9;

/// Sides and distances in pixels.
const CELL: usize = 58;
const RADIUS: f32 = 22.0;
const LEFT: usize = 132;
const TOP: usize = 62;
const WIDTH: usize = LEFT + N_POSITIONS * CELL + 10;
const HEIGHT: usize = TOP + HEAD_DIM / 2 * CELL + 44;

fn main() -> Result<(), Box<dyn Error>> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../notes/figures/ch04-rope.svg"
    );
    std::fs::write(path, svg()?)?;
    Ok(())
}

/// The frequencies of a head of eight with the base of LLaMA 1 and 2, in radians a token.
///
/// # Errors
///
/// If the config of the example is wrong.
pub(crate) fn frequencies() -> Result<Vec<f64>, Box<dyn Error>> {
    let config = Config::from_yaml(
        "{vocab_size: 1, context_length: 9, emb_dim: 8, n_heads: 1, n_kv_heads: 1, \
          hidden_dim: 1, n_layers: 1, rope_theta: 10000.0}",
    )?;
    Ok(rope::frequencies(&config))
}

/// Where each pair's hand points at a position: `(1, 0)`, turned by the code of the model.
pub(crate) fn hands(frequencies: &[f64], position: usize) -> Vec<[f32; 2]> {
    let mut head = [[1.0; HEAD_DIM / 2], [0.0; HEAD_DIM / 2]].concat();
    rope::rotate_halves(&mut head, frequencies, position);
    let (cos, sin) = head.split_at(HEAD_DIM / 2);
    cos.iter().zip(sin).map(|(c, s)| [*c, *s]).collect()
}

/// The figure as text; the same bytes each time.
///
/// # Errors
///
/// If the config of the example is wrong.
pub(crate) fn svg() -> Result<String, Box<dyn Error>> {
    let frequencies = frequencies()?;
    let mut out = String::new();
    let title = "RoPE as dials: four pairs of a head at positions 0 to 8";
    writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12" text-anchor="middle">
<title>{title}</title>
<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>
<text x="{}" y="24" font-size="15" fill="#111">pair i turns by position · ω_i</text>
<text x="{}" y="{}" text-anchor="end" fill="#333">position</text>"##,
        WIDTH / 2,
        LEFT - 8,
        TOP - 10
    )?;
    for (i, frequency) in frequencies.iter().enumerate() {
        label(&mut out, i, *frequency)?;
    }
    for position in 0..N_POSITIONS {
        let x = LEFT + position * CELL + CELL / 2;
        writeln!(
            out,
            r##"<text x="{x}" y="{}" fill="#333">{position}</text>"##,
            TOP - 10
        )?;
        for (i, hand) in hands(&frequencies, position).into_iter().enumerate() {
            dial(&mut out, [x, TOP + i * CELL + CELL / 2], hand)?;
        }
    }
    for (line, text) in [
        "fast pairs tell neighbours apart, slow pairs tell near from far;",
        "turning a query and a key by the same angle leaves their dot product alone",
    ]
    .into_iter()
    .enumerate()
    {
        let y = HEIGHT - 26 + 17 * line;
        writeln!(
            out,
            r##"<text x="{}" y="{y}" fill="#333">{text}</text>"##,
            WIDTH / 2
        )?;
    }
    out.push_str("</svg>\n");
    Ok(out)
}

/// Which numbers make the pair, and how many tokens a turn takes.
fn label(out: &mut String, pair: usize, frequency: f64) -> std::fmt::Result {
    let (y, x) = (TOP + pair * CELL + CELL / 2, LEFT - 8);
    let (partner, turn) = (pair + HEAD_DIM / 2, TAU / frequency);
    writeln!(
        out,
        r##"<text x="{x}" y="{}" text-anchor="end" fill="#111">numbers {pair} and {partner}</text>
<text x="{x}" y="{}" text-anchor="end" font-size="11" fill="#555">ω = {frequency:.3}</text>
<text x="{x}" y="{}" text-anchor="end" font-size="11" fill="#555">a turn: {turn:.0} tokens</text>"##,
        y - 10,
        y + 5,
        y + 19
    )
}

/// One pair: its hand, and dashed where the hand stood at position 0.
fn dial(out: &mut String, [x, y]: [usize; 2], [cos, sin]: [f32; 2]) -> std::fmt::Result {
    // A picture's y grows downwards; angles are shown as in a textbook, counterclockwise.
    let (tip_x, tip_y) = (x as f32 + RADIUS * cos, y as f32 - RADIUS * sin);
    writeln!(
        out,
        r##"<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="#f7fbff" stroke="#9db8d2"/><path d="M{x} {y}H{}" stroke="#c4c4c4" stroke-dasharray="2 2"/><path d="M{x} {y}L{tip_x:.1} {tip_y:.1}" stroke="#084594" stroke-width="2"/><circle cx="{tip_x:.1}" cy="{tip_y:.1}" r="2.6" fill="#084594"/>"##,
        x + RADIUS as usize,
    )
}
