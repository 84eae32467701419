//! Steps by the persistent kernel, through the driver: the same results as with graphs and without, from a
//! cooperative launch and, where there is none, from a plain one.

use std::sync::Arc;

use gollm_conformance::{Bounds, assert_conforms};
use gollm_tensor::Device;

use super::super::super::options::{DriverOptions, Preference, Replay};
use super::model::greedy;
use super::{graph_launches, kernel_launches, open, options};
use crate::Cuda;
use crate::options::CacheType;
use crate::runtime::Runtime;

#[test]
fn a_token_is_four_launches_and_the_same_one_as_without() {
    let cache = tempfile::tempdir().unwrap();
    let on = |replay, prefer| DriverOptions {
        replay,
        prefer,
        ..options(&cache)
    };
    let plain = greedy(open(&on(Replay::Off, Preference::Newest)).unwrap(), 8);
    for (prefer, how) in [
        (Preference::Newest, "by a cooperative launch"),
        (Preference::TeslaM40, "by a plain launch of no more"),
    ] {
        let driver = open(&on(Replay::Persistent, prefer)).unwrap();
        let text = driver.description();
        assert!(
            text.contains("persistent decode kernel") && text.contains(how),
            "{text}"
        );
        let (kernels, graphs) = (kernel_launches(), graph_launches());
        assert_eq!(greedy(driver, 8), plain);
        let (kernels, graphs) = (kernel_launches() - kernels, graph_launches() - graphs);
        assert_eq!(graphs, 0);
        // As ever the prompt and the first tokens: three, or two where the first finds its buffers as the
        // others do. The others: the embedding; the first product, which comes before the places are
        // copied; all else of the layers and the head; the likeliest.
        let one_by_one = |n_tokens| {
            let before = kernel_launches();
            greedy(open(&on(Replay::Off, prefer)).unwrap(), n_tokens);
            kernel_launches() - before
        };
        let possible = [one_by_one(4) + 4 * 4, one_by_one(3) + 5 * 4];
        assert!(possible.contains(&kernels), "{kernels} of {possible:?}");
    }
}

#[test]
fn steps_that_it_does_not_know_are_graphs() {
    let cache = tempfile::tempdir().unwrap();
    let options = DriverOptions {
        replay: Replay::Persistent,
        ..options(&cache)
    };
    let device = Device::new(Cuda::on(Arc::new(open(&options).unwrap()), CacheType::F16));
    let before = graph_launches();
    let x = device.tensor(&[2, 100], &[1.5; 200]).unwrap();
    for _ in 0..5 {
        let mut sum = x.clone();
        for _ in 0..9 {
            sum = sum.add(&x).unwrap();
        }
        assert_eq!(sum.to_vec().unwrap(), [15.0; 200]);
    }
    assert!(graph_launches() - before >= 2);
}

#[test]
fn the_backend_conforms() {
    let cache = tempfile::tempdir().unwrap();
    let options = DriverOptions {
        replay: Replay::Persistent,
        ..options(&cache)
    };
    let device = Device::new(Cuda::on(Arc::new(open(&options).unwrap()), CacheType::F32));
    assert_conforms(&device, &Bounds::default());
}
