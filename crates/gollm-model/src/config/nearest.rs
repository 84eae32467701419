//! Which known key an unknown one was meant to be.

/// The known key that needs the fewest changes of one letter, if it is near enough to be meant:
/// a slip (`n_kv_head`), a part (`low_freq`) or a longer name (`rms_norm_eps`).
pub(super) fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    // A slip of the pen is short; this also bounds the work on a hostile key.
    if key.len() > 64 {
        return None;
    }
    let holds = |near: &str| key.len() >= 4 && (near.contains(key) || key.contains(near));
    let distances = known
        .iter()
        .map(|near| (!holds(near), edit_distance(key, near), *near));
    let (far, distance, near) = distances.min()?;
    (!far || distance <= 1 + near.len() / 3).then_some(near)
}

/// Levenshtein's distance, in bytes: insertions, deletions and replacements from `a` to `b`.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a_byte) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b_byte) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(a_byte != b_byte);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
