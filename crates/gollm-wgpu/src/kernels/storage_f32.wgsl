// Weights stored as f32: one number in each word.
//
// A storage file says how numbers lie in the u32 words of a matrix. A kernel that includes one defines
// `word(matrix, at)`, which reads a word of one of its matrices, and gets two functions back: `one`, any
// number of a row, and `four`, the numbers 4 quad … 4 quad + 3. `row` is the word at which a row begins;
// the host starts each row at a word of its own.

fn one(matrix: u32, row: u32, column: u32) -> f32 {
    return bitcast<f32>(word(matrix, row + column));
}

fn four(matrix: u32, row: u32, quad: u32) -> vec4<f32> {
    let at = row + 4u * quad;
    return bitcast<vec4<f32>>(vec4<u32>(
        word(matrix, at),
        word(matrix, at + 1u),
        word(matrix, at + 2u),
        word(matrix, at + 3u),
    ));
}
