//! The names a device can have on the command line.

use std::fmt;
use std::str::FromStr;

/// A device as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeviceName {
    /// The fastest that is there.
    Auto,
    /// The readable implementation that all others are checked against.
    Reference,
    /// Vector instructions and threads.
    Cpu,
    /// A GPU through Vulkan, Metal or DirectX: the best, or the one that the text names.
    Wgpu(String),
    /// The NVIDIA GPU of this number, or the one that is preferred.
    Cuda(Option<usize>),
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_prefix("cuda:").map(str::parse);
        let adapter = text.strip_prefix("wgpu:").map(str::trim);
        match (text, number, adapter) {
            ("auto", ..) => Ok(Self::Auto),
            ("reference", ..) => Ok(Self::Reference),
            ("cpu", ..) => Ok(Self::Cpu),
            ("wgpu", ..) => Ok(Self::Wgpu(String::new())),
            ("cuda", ..) => Ok(Self::Cuda(None)),
            (_, Some(Ok(number)), _) => Ok(Self::Cuda(Some(number))),
            (_, _, Some(adapter)) if !adapter.is_empty() => Ok(Self::Wgpu(adapter.to_owned())),
            _ => Err(
                "expected auto, reference, cpu, wgpu, wgpu:N, wgpu:software, wgpu:NAME, cuda or cuda:N \
                 (N is the number of the GPU; `gollm devices` lists them)"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Reference => f.write_str("reference"),
            Self::Cpu => f.write_str("cpu"),
            Self::Wgpu(adapter) if adapter.is_empty() => f.write_str("wgpu"),
            Self::Wgpu(adapter) => write!(f, "wgpu:{adapter}"),
            Self::Cuda(None) => f.write_str("cuda"),
            Self::Cuda(Some(number)) => write!(f, "cuda:{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_is_read_as_it_is_written() {
        for name in [
            "auto",
            "reference",
            "cpu",
            "wgpu",
            "wgpu:0",
            "wgpu:software",
            "wgpu:GeForce RTX",
            "cuda:0",
            "cuda:7",
        ] {
            assert_eq!(name.parse::<DeviceName>().unwrap().to_string(), name);
        }
        assert_eq!("cuda".parse(), Ok(DeviceName::Cuda(None)));
        for wrong in [
            "", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:x", "cuda:0:1", "wgpu:", "wgpu: ", "wgpu0",
        ] {
            assert!(wrong.parse::<DeviceName>().is_err(), "{wrong}");
        }
    }
}
