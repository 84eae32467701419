//! Workgroups in two dimensions: one may have 65,535 at most.

/// A grid of at least `n` workgroups whose sides are at most `most`. Kernels number workgroups
/// `y · width + x` and leave the ones past the last alone.
pub(crate) fn spread(n: usize, most: u32) -> [u32; 2] {
    let most = (most as usize).max(1);
    // Rows of equal length: fewer than `height` workgroups are too many.
    let height = n.div_ceil(most).max(1);
    let width = n.div_ceil(height);
    // A tensor's memory is bounded by its windows, so that `height` is at most a few hundred.
    [width as u32, height as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_covers_n_and_stays_within_the_limit() {
        for n in [1, 2, 65_534, 65_535, 65_536, 70_001, 10_000_000] {
            let [x, y] = spread(n, 65_535).map(|side| side as usize);
            assert!(x * y >= n && x * y < n + y, "{n}: {x} x {y}");
            assert!(x <= 65_535 && y <= 65_535);
        }
    }
}
