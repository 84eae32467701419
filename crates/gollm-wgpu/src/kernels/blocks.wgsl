// What the two blocked types share: blocks of 32 numbers that have an odd number of 16-bit halves, so that
// every second block begins in the middle of a word.

// 32 bits that begin at 16-bit half `half` of a row.
fn two_halves(matrix: u32, row: u32, half: u32) -> u32 {
    let at = row + half / 2u;
    let lower = word(matrix, at);
    if half % 2u == 0u {
        return lower;
    }
    return (lower >> 16u) | (word(matrix, at + 1u) << 16u);
}

// The f16 in 16-bit half `half` of a row: a block's scale.
fn scale_at(matrix: u32, row: u32, half: u32) -> f32 {
    return unpack2x16float(word(matrix, row + half / 2u))[half % 2u];
}
