//! Which of the compilers on a machine to use: one that knows the GPU, and that the driver understands.

use gollm_tensor::{Error, Result};

use super::gpu::Gpu;
use super::library::{SharedLibrary, error};
use super::nvrtc::Nvrtc;
use super::places::{Kind, Places};

/// The major versions of CUDA that are looked for. CUDA 13 dropped the architectures below sm_75, and
/// CUDA 12 does not know the newest, so a machine may need either.
pub(super) const MAJORS: [u32; 2] = [13, 12];

/// Opens the newest compiler that knows the GPU's architecture and is not newer than its driver.
///
/// # Errors
///
/// If there is none: each that was found with what it cannot do, each place without one, and which CUDA
/// to install.
pub(super) fn open(gpu: &Gpu, places: &Places) -> Result<Nvrtc> {
    let mut found = Vec::new();
    let mut missing = String::new();
    for major in MAJORS {
        match SharedLibrary::open(Kind::Nvrtc(major), places) {
            Ok(library) => match Nvrtc::new(library) {
                Ok(nvrtc) => found.push(nvrtc),
                Err(error) => missing.push_str(&format!("\n  {error}")),
            },
            Err(attempts) => missing.push_str(&attempts.to_string()),
        }
    }
    let facts: Vec<Facts> = found.iter().map(Facts::of).collect();
    match best(gpu, &facts) {
        Some(best) => Ok(found.swap_remove(best)),
        None => Err(none_fits(gpu, &facts, &missing)),
    }
}

/// What is to be known about a compiler to choose it.
#[derive(Debug, Clone)]
struct Facts {
    path: String,
    version: (u32, u32),
    architectures: Vec<u32>,
}

impl Facts {
    fn of(nvrtc: &Nvrtc) -> Self {
        Self {
            path: nvrtc.path().display().to_string(),
            version: nvrtc.version,
            architectures: nvrtc.architectures.clone(),
        }
    }

    /// Why it cannot serve this GPU, if it cannot.
    fn against(&self, gpu: &Gpu) -> Option<String> {
        let (major, minor) = self.version;
        let known = || self.architectures.iter();
        if !self.architectures.contains(&number(gpu)) {
            let (least, most) = (known().min()?, known().max()?);
            return Some(format!(
                "NVRTC {major}.{minor} compiles for sm_{least} to sm_{most}, not for {}",
                gpu.sm()
            ));
        }
        // A driver runs code of its own major version and of older ones.
        (major > gpu.driver.0).then(|| {
            format!(
                "NVRTC {major}.{minor} is newer than the driver, which serves CUDA {}.{}",
                gpu.driver.0, gpu.driver.1
            )
        })
    }
}

/// The newest that fits.
fn best(gpu: &Gpu, found: &[Facts]) -> Option<usize> {
    let fitting = (0..found.len()).filter(|&i| found[i].against(gpu).is_none());
    fitting.max_by_key(|&i| found[i].version)
}

fn none_fits(gpu: &Gpu, found: &[Facts], missing: &str) -> Error {
    let unfit: Vec<String> = found
        .iter()
        .map(|facts| {
            let reason = facts.against(gpu).unwrap_or_default();
            format!("\n  {}: {reason}", facts.path)
        })
        .collect();
    error(format_args!(
        "found no NVRTC (the run-time compiler of CUDA) for {gpu}. Looked here:{}{missing}\n{}, or name \
         the folder of its libraries in GOLLM_CUDA_LIB",
        unfit.concat(),
        advice(gpu)
    ))
}

/// Which CUDA this GPU needs.
fn advice(gpu: &Gpu) -> String {
    let newest = gpu.driver.0;
    if number(gpu) < 75 {
        return format!(
            "{} needs CUDA 12: version 13 dropped it. Install CUDA 12.x (on Python: \
             nvidia-cuda-nvrtc-cu12 and nvidia-cublas-cu12)",
            gpu.sm()
        );
    }
    format!("Install CUDA {newest}.x")
}

/// 52 for sm_52.
fn number(gpu: &Gpu) -> u32 {
    gpu.architecture.0 * 10 + gpu.architecture.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu(architecture: (u32, u32), driver: (u32, u32)) -> Gpu {
        Gpu {
            number: 0,
            name: "test".to_owned(),
            architecture,
            multiprocessors: 1,
            memory: 1 << 30,
            driver,
        }
    }

    fn both() -> [Facts; 2] {
        [
            Facts {
                path: "/13".to_owned(),
                version: (13, 0),
                architectures: vec![75, 80, 90, 120],
            },
            Facts {
                path: "/12".to_owned(),
                version: (12, 4),
                architectures: vec![50, 52, 60, 70, 75, 80, 90],
            },
        ]
    }

    #[test]
    fn the_newest_that_knows_the_gpu_and_its_driver_is_taken() {
        assert_eq!(best(&gpu((9, 0), (13, 0)), &both()), Some(0));
        assert_eq!(best(&gpu((9, 0), (12, 8)), &both()), Some(1));
        assert_eq!(best(&gpu((5, 2), (13, 0)), &both()), Some(1));
        assert_eq!(best(&gpu((12, 0), (12, 8)), &both()), None);
    }

    #[test]
    fn an_m40_with_cuda_13_alone_is_told_to_take_12() {
        let gpu = gpu((5, 2), (12, 4));
        let message = none_fits(&gpu, &both()[..1], "\n  /x: no such file").to_string();
        for part in [
            "/13: NVRTC 13.0 compiles for sm_75 to sm_120, not for sm_52",
            "/x: no such file",
            "Install CUDA 12.x",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_compiler_newer_than_the_driver_is_named() {
        let gpu = gpu((12, 0), (12, 8));
        let message = none_fits(&gpu, &both(), "").to_string();
        assert!(
            message.contains("/13: NVRTC 13.0 is newer than the driver, which serves CUDA 12.8")
        );
        assert!(message.contains("/12: NVRTC 12.4 compiles for sm_50 to sm_90, not for sm_120"));
    }
}
