//! Ctrl-C: the first one asks, the second one ends.

use gollm_engine::CancelFlag;

use crate::failure::Failure;

/// Lets the first Ctrl-C raise `flag`. The second ends the program at once, with exit code 130.
///
/// Called only when someone is about to look at the flag: before, the first one ends the program.
pub(crate) fn raise_on_ctrl_c(flag: &CancelFlag) -> Result<(), Failure> {
    let flag = flag.clone();
    let handler = move || {
        if flag.is_cancelled() {
            std::process::exit(130);
        }
        flag.cancel();
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Failure::runtime(format!("cannot listen for Ctrl-C: {error}")))
}
