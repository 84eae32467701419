//! What can stand in the queue: everything the backend asks for between two reads.

use std::ffi::c_void;
use std::ops::Range;

use crate::kernel::Kernel;
#[cfg(feature = "persistent-decode")]
use crate::persistent::Operation;
use crate::runtime::{Argument, Launch, LibraryProduct};

/// More parameters than any kernel has.
pub(super) const MOST_ARGUMENTS: usize = 24;

/// Something that the GPU does in order. Two commands are equal when they do the same to the same
/// addresses, so a list of them that equals an earlier one can be replayed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Command {
    /// Runs a kernel.
    Launch(Run),
    /// Copies `bytes` of the staging memory to the device. What the bytes are differs from step to
    /// step; where they stand does not.
    Write {
        /// Where to, on the device.
        to: u64,
        /// Which bytes of the staging memory.
        bytes: Range<usize>,
    },
    /// Sets bytes to zero.
    Zero {
        /// Where, on the device.
        to: u64,
        /// How many.
        n_bytes: usize,
    },
    /// A product on cuBLAS.
    Product(LibraryProduct),
}

/// One run of a kernel, with its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) kernel: Kernel,
    pub(super) grid: [u32; 3],
    pub(super) block: u32,
    pub(super) shared_bytes: u32,
    arguments: Arguments,
}

impl Run {
    /// None where the kernel has more arguments than [`MOST_ARGUMENTS`].
    pub(super) fn new(launch: &Launch<'_>) -> Option<Self> {
        Some(Self {
            kernel: launch.kernel,
            grid: launch.grid,
            block: launch.block,
            shared_bytes: launch.shared_bytes,
            arguments: Arguments::new(launch.arguments)?,
        })
    }

    /// The launch as a row of the persistent kernel's table, if it can play it.
    #[cfg(feature = "persistent-decode")]
    pub(super) fn operation(&self) -> Option<Operation> {
        let Arguments { values, n } = &self.arguments;
        let arguments = values.iter().take(*n).map(|Value(bytes)| *bytes);
        let sizes = [self.block, self.shared_bytes];
        Operation::new(self.kernel, self.grid, sizes, arguments)
    }

    /// A pointer for each argument, as the driver wants them. They point into `self`.
    pub(super) fn argument_pointers(&mut self) -> [*mut c_void; MOST_ARGUMENTS] {
        let mut pointers = [std::ptr::null_mut(); MOST_ARGUMENTS];
        let values = self.arguments.values.iter_mut().take(self.arguments.n);
        for (pointer, value) in pointers.iter_mut().zip(values) {
            *pointer = value.as_mut_ptr().cast();
        }
        pointers
    }
}

/// The bytes of each argument, in the machine's order, padded with zeros to 8. Bytes and not numbers, so
/// that comparing is exact: 0.0 is not -0.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Arguments {
    values: [Value; MOST_ARGUMENTS],
    n: usize,
}

/// An argument of at most 8 bytes, aligned for any of its types.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Value([u8; 8]);

impl Value {
    fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr()
    }
}

impl Arguments {
    fn new(arguments: &[Argument]) -> Option<Self> {
        let mut values = [Value([0; 8]); MOST_ARGUMENTS];
        for (i, argument) in arguments.iter().enumerate() {
            *values.get_mut(i)? = Value(argument.bytes());
        }
        let n = arguments.len();
        Some(Self { values, n })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[Argument]) -> Option<Run> {
        Run::new(&Launch {
            kernel: Kernel::ALL[0],
            grid: [1, 1, 1],
            block: 32,
            shared_bytes: 0,
            arguments,
        })
    }

    #[test]
    fn each_argument_lies_behind_its_pointer_in_its_own_type() {
        let mut run = run(&[
            Argument::Address(0x1234_5678_9abc_def0),
            Argument::U32(u32::MAX),
            Argument::F32(0.1),
        ])
        .unwrap();
        let pointers = run.argument_pointers();
        // SAFETY: the pointers point into `run`, to values of these types.
        unsafe {
            assert_eq!(*pointers[0].cast::<u64>(), 0x1234_5678_9abc_def0);
            assert_eq!(*pointers[1].cast::<u32>(), u32::MAX);
            assert_eq!(*pointers[2].cast::<f32>(), 0.1);
        }
        assert!(pointers[3..].iter().all(|pointer| pointer.is_null()));
    }

    #[test]
    fn runs_are_equal_only_bit_for_bit() {
        let with = |argument| run(&[argument]).unwrap();
        assert_eq!(with(Argument::F32(1.0)), with(Argument::F32(1.0)));
        assert_ne!(with(Argument::F32(0.0)), with(Argument::F32(-0.0)));
        assert_ne!(with(Argument::U32(1)), run(&[]).unwrap());
        assert_ne!(with(Argument::U32(0)), run(&[]).unwrap());
    }

    #[test]
    fn too_many_arguments_are_refused() {
        assert!(run(&[Argument::U32(0); MOST_ARGUMENTS]).is_some());
        assert!(run(&[Argument::U32(0); MOST_ARGUMENTS + 1]).is_none());
    }
}
