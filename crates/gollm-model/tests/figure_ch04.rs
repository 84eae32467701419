//! The figure of chapter 4 is what the code computes.

#[path = "../examples/figure_ch04.rs"]
#[expect(dead_code, reason = "the program's `main` is not called here")]
mod figure;

#[test]
fn the_figure_shows_what_the_code_computes() {
    let committed = include_str!("../../../notes/figures/ch04-rope.svg");
    let hint = "remake it with `cargo run -p gollm-model --example figure_ch04`";
    assert!(
        figure::svg().unwrap() == committed,
        "notes/figures/ch04-rope.svg is out of date; {hint}"
    );
}

#[test]
fn a_hand_turns_by_position_times_frequency() {
    let frequencies = figure::frequencies().unwrap();
    // Position 3 at one radian a token, and at a thousandth of that.
    let hands = figure::hands(&frequencies, 3);
    for (hand, angle) in [(hands[0], 3.0f32), (hands[3], 0.003)] {
        assert!((hand[0] - angle.cos()).abs() < 1e-6 && (hand[1] - angle.sin()).abs() < 1e-6);
    }
}
