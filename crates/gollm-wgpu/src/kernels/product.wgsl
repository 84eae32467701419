// What every product y = x · weightᵀ is told, and its x.

struct Params {
    n_in: u32,
    n_tokens: u32,     // of this call
    n_rows: u32,       // of the weight, or the weights, in this window
    row_words: u32,    // words from one row of a weight to the next
    first_x: u32,      // the token's row in x, and in y, that this call begins with
    first_y: u32,
    width_y: u32,      // numbers in a row of y
    first_column: u32, // of y that the window's first row makes
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
