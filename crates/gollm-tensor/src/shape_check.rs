//! Shapes that run: a shape is stated once, by name, where it is checked.

/// Checks that a tensor has a shape, and returns an error with the names and the numbers if not.
///
/// `check_shape!("rms_norm", weight, [emb_dim])` fails with
/// ``rms_norm: `weight` has shape [2], expected [emb_dim] = [3]``.
#[macro_export]
macro_rules! check_shape {
    ($operation:expr, $tensor:ident, [$($dim:expr),+ $(,)?]) => {{
        let expected = [$($dim),+];
        if $tensor.shape() == expected {
            Ok(())
        } else {
            Err($crate::Error::Shape {
                operation: $operation,
                name: stringify!($tensor),
                found: $tensor.shape().to_vec(),
                expected: format!("{} = {expected:?}", stringify!([$($dim),+])),
            })
        }
    }};
}
