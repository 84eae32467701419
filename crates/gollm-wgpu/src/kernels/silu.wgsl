// silu(g) = g / (1 + e^-g). WGSL lets an implementation assume that nothing overflows, so the exponent is
// kept where e^x is finite: below -80 the true value is under 1e-33.
fn silu(g: f32) -> f32 {
    return g / (1.0 + exp(-max(g, -80.0)));
}
