//! Ctrl-C: the first one asks, the second one ends.

use gollm_engine::CancelFlag;

use crate::failure::Failure;

/// Lets the first Ctrl-C raise `flag`. The second ends the program at once, with exit code 130.
///
/// Called only when someone is about to look at the flag: before, the first one ends the program.
pub(crate) fn raise_on_ctrl_c(flag: &CancelFlag) -> Result<(), Failure> {
    let flag = flag.clone();
    call_on_ctrl_c(move || flag.cancel())
}

/// As [`raise_on_ctrl_c`], for whatever else the first one should do.
pub(crate) fn call_on_ctrl_c(first: impl Fn() + Send + 'static) -> Result<(), Failure> {
    let mut was_asked = false;
    let handler = move || {
        if std::mem::replace(&mut was_asked, true) {
            std::process::exit(130);
        }
        first();
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Failure::runtime(format!("cannot listen for Ctrl-C: {error}")))
}
