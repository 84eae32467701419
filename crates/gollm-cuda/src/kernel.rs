//! The kernels: their names, and the sources that they are compiled from.

/// A file of CUDA C without headers, embedded in the binary.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The name for messages and for the cache of compiled kernels: `add.cu`.
    pub(crate) file: &'static str,
    text: &'static str,
}

/// What every source begins with: f16, warps, sums over a block.
const PRELUDE: &str = include_str!("../kernels/prelude.cuh");

impl Source {
    /// What the compiler gets: the prelude and the file, each with its own line numbers.
    pub(crate) fn unit(&self) -> String {
        let Self { file, text } = self;
        format!("#line 1 \"prelude.cuh\"\n{PRELUDE}\n#line 1 \"{file}\"\n{text}")
    }
}

/// All sources; each is compiled by itself.
pub(crate) static SOURCES: [Source; 1] = [Source {
    file: "elementwise.cu",
    text: include_str!("../kernels/elementwise.cu"),
}];

/// A function in one of the [`SOURCES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kernel {
    /// `out = a + b`.
    Add,
}

impl Kernel {
    /// All of them.
    pub(crate) const ALL: [Self; 1] = [Self::Add];

    /// The name of the function, which has C linkage.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
        }
    }

    /// The file that it is in.
    pub(crate) fn source(self) -> &'static Source {
        match self {
            Self::Add => &SOURCES[0],
        }
    }
}
