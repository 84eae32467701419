// Where an invocation writes into a cache: it has one word of the cache's row of one token, so that no two
// write to one word. With HALF: whether a word holds two f16 numbers, or one f32.
//
// A cache may be bound in several windows; a call writes the rows whose sequence is in its window.

struct Slot {
    here: bool, // whether this invocation writes at all
    start: u32, // of the token's row
    word: u32, // of the cache's row
    position: u32,
    to: u32, // in the cache
}

fn slot(i: u32) -> Slot {
    let row = i / p.row_words;
    let word = i % p.row_words;
    if i >= p.n_words {
        return Slot(false, 0u, 0u, 0u, 0u);
    }
    let place = places[row];
    if place.x < p.first_sequence || place.x - p.first_sequence >= p.n_sequences {
        return Slot(false, 0u, 0u, 0u, 0u);
    }
    let to = ((place.x - p.first_sequence) * p.context_length + place.y) * p.row_words + word;
    return Slot(true, row * p.width, word, place.y, to);
}
