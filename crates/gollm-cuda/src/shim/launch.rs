//! Calls a kernel that was compiled as C++, by its name.

use std::ffi::{CStr, CString, c_char, c_int, c_uint};

use crate::runtime::Argument;

unsafe extern "C" {
    /// `shim/table.cpp`.
    fn gollm_shim_launch(
        name: *const c_char,
        grid: *const c_uint,
        block: c_uint,
        shared_bytes: c_uint,
        arguments: *const u64,
        kinds: *const u8,
        n_arguments: c_uint,
        resident: c_uint,
        reversed: c_int,
        message: *mut c_char,
        message_bytes: usize,
    ) -> c_int;
}

/// How the fibers of a launch take turns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    /// How many blocks are there at once.
    pub(super) resident: u32,
    /// Whether threads and blocks begin in reverse.
    pub(super) reversed: bool,
}

/// Runs a grid of `block` threads each; an error is what went wrong.
pub(super) fn launch(
    name: &str,
    grid: [u32; 3],
    [block, shared_bytes]: [u32; 2],
    arguments: &[Argument],
    order: Order,
) -> Result<(), String> {
    let (bits, kinds): (Vec<u64>, Vec<u8>) = arguments.iter().map(bits_and_kind).unzip();
    let name = CString::new(name).map_err(|error| error.to_string())?;
    let mut message = [0u8; 512];
    // SAFETY: the pointers are to values that outlive the call, with the lengths that are given with
    // them, and the function compares the kinds with the kernel's parameters. The kernel reads and
    // writes addresses that the shim's memory gave, as far as its other arguments say: that it stays
    // within them is what is being tested.
    let code = unsafe {
        gollm_shim_launch(
            name.as_ptr(),
            grid.as_ptr(),
            block,
            shared_bytes,
            bits.as_ptr(),
            kinds.as_ptr(),
            kinds.len() as c_uint,
            order.resident,
            c_int::from(order.reversed),
            message.as_mut_ptr().cast(),
            message.len(),
        )
    };
    if code == 0 {
        return Ok(());
    }
    let text = CStr::from_bytes_until_nul(&message).unwrap_or_default();
    Err(text.to_string_lossy().into_owned())
}

/// An argument as the C side takes it, and which kind it is (`Kind` in `shim/table.cpp`).
fn bits_and_kind(argument: &Argument) -> (u64, u8) {
    match *argument {
        Argument::Address(address) => (address, 0),
        Argument::U32(value) => (u64::from(value), 1),
        Argument::F32(value) => (u64::from(value.to_bits()), 2),
    }
}
