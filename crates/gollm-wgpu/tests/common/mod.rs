//! The adapter that the tests run on.

use gollm_wgpu::{Choice, Options, Wgpu};

/// Opens the adapter that `GOLLM_WGPU_TEST` names, as it would be written after `wgpu:`; without it a
/// software adapter if there is one, and else the best GPU.
///
/// Where there is no adapter the test is skipped and says so, unless `GOLLM_REQUIRE_WGPU=1` makes that a
/// failure: `make test` sets it.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn open(options: Options) -> Option<Wgpu> {
    let choices = match std::env::var("GOLLM_WGPU_TEST") {
        Ok(text) => vec![text.parse().unwrap()],
        Err(_) => vec![Choice::Software, Choice::Hardware],
    };
    let mut refusals = Vec::new();
    for choice in choices {
        let options = Options {
            choice,
            ..options.clone()
        };
        match Wgpu::with_options(&options) {
            Ok(wgpu) => return Some(wgpu),
            Err(error) => refusals.push(error.to_string()),
        }
    }
    let refusals = refusals.join("\n");
    let required = std::env::var("GOLLM_REQUIRE_WGPU").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "GOLLM_REQUIRE_WGPU=1, and no wgpu adapter:\n{refusals}"
    );
    eprintln!("skipped: no wgpu adapter\n{refusals}");
    None
}
