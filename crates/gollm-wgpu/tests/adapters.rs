//! Which adapter is taken, and what is said when one is not there or fails.

#![expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]

mod common;

use gollm_tensor::{Device, Error};
use gollm_wgpu::{Choice, Options, Wgpu, adapters, has_hardware};

fn message_of(choice: Choice) -> String {
    let error = Wgpu::new(choice).unwrap_err();
    assert!(matches!(error, Error::Device { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn adapters_are_numbered_and_say_what_they_are() {
    let Some(wgpu) = common::open(Options::default()) else {
        return;
    };
    let adapters = adapters();
    assert!(adapters.iter().enumerate().all(|(i, a)| a.number == i));
    assert!(adapters.contains(wgpu.adapter()));
    let described = Device::new(wgpu.clone()).backend().description();
    for part in [
        &wgpu.adapter().name,
        wgpu.adapter().kind,
        wgpu.adapter().api,
    ] {
        assert!(described.contains(part), "`{part}` in `{described}`");
    }
    let by_number = Wgpu::new(Choice::Number(wgpu.adapter().number)).unwrap();
    assert_eq!(by_number.adapter(), wgpu.adapter());
    let by_name = Wgpu::new(Choice::Named(wgpu.adapter().name.to_uppercase())).unwrap();
    assert_eq!(by_name.adapter().name, wgpu.adapter().name);
}

#[test]
fn an_adapter_that_is_not_there_is_an_error_that_lists_the_others() {
    let Some(wgpu) = common::open(Options::default()) else {
        return;
    };
    for choice in [Choice::Number(99), Choice::Named("no such card".to_owned())] {
        let asked = choice.to_string();
        let message = message_of(choice);
        assert!(message.contains(&format!("`wgpu:{asked}`")), "{message}");
        assert!(message.contains(&wgpu.adapter().name), "{message}");
    }
}

#[test]
fn software_is_never_taken_for_a_gpu() {
    match Wgpu::new(Choice::Hardware) {
        Ok(wgpu) => assert!(has_hardware() && !wgpu.adapter().is_software()),
        Err(error) => {
            assert!(!has_hardware());
            assert!(error.to_string().contains("no GPU was found"), "{error}");
        }
    }
}

#[test]
fn a_tensor_that_cannot_be_cut_small_enough_is_an_error() {
    let options = Options {
        max_binding_bytes: Some(1_024),
        ..Options::default()
    };
    let Some(wgpu) = common::open(options) else {
        return;
    };
    let device = Device::new(wgpu);
    // A cache is cut between sequences, and one of them takes 64 · 8 · 4 bytes.
    let message = device.cache(&[2, 64, 8]).unwrap_err().to_string();
    for part in ["2048 bytes", "1024", "[2, 64, 8]"] {
        assert!(message.contains(part), "`{part}` in `{message}`");
    }
    // The device itself is none the worse for it.
    assert_eq!(
        device
            .tensor(&[1, 2], &[1.0, 2.0])
            .unwrap()
            .to_vec()
            .unwrap(),
        [1.0, 2.0]
    );
}

#[test]
fn a_cache_that_another_handle_holds_is_not_written() {
    let Some(wgpu) = common::open(Options::default()) else {
        return;
    };
    let device = Device::new(wgpu);
    let mut cache = device.cache(&[1, 4, 2]).unwrap();
    let rows = device.tensor(&[1, 2], &[1.0, 2.0]).unwrap();
    let places = gollm_tensor::Place::run(0, 0, 1);
    let other = cache.clone();
    let refused = cache.write_rows(&rows, &places);
    assert!(matches!(refused, Err(Error::Shared { .. })), "{refused:?}");
    drop(other);
    cache.write_rows(&rows, &places).unwrap();
    assert_eq!(
        cache.to_vec().unwrap(),
        [1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    );
}
