//! What a step of a model asks of the machine: recorded by a runtime in between.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use gollm_model::{Config, Decoder, KvCache, SequenceTokens, StoredTensor, expected_tensors};
use gollm_tensor::{DType, Device, HostBytes, Result, Tensor};

use crate::cuda::Cuda;
use crate::kernel::Kernel;
use crate::options::CacheType;
use crate::runtime::{Argument, Launch, LibraryProduct, Runtime};
use crate::shim::{Shim, ShimOptions};

/// One thing that was asked of the machine.
#[derive(Debug, Clone, PartialEq)]
enum Event {
    Allocate(usize),
    Free,
    Write(u64, usize),
    Launch(Kernel, [u32; 3], [u32; 2], Vec<Argument>),
}

/// The shim, and a list of what it was asked for.
struct Recorder {
    shim: Shim,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Recorder {
    fn record(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
}

impl Runtime for Recorder {
    fn name(&self) -> &str {
        self.shim.name()
    }

    fn description(&self) -> String {
        self.shim.description()
    }

    fn allocate(&self, n_bytes: usize) -> Result<u64> {
        self.record(Event::Allocate(n_bytes));
        self.shim.allocate(n_bytes)
    }

    fn free(&self, address: u64) {
        self.record(Event::Free);
        self.shim.free(address);
    }

    fn write(&self, to: u64, bytes: &[u8]) -> Result<()> {
        self.record(Event::Write(to, bytes.len()));
        self.shim.write(to, bytes)
    }

    fn read(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        self.shim.read(from, bytes)
    }

    fn zero(&self, to: u64, n_bytes: usize) -> Result<()> {
        self.shim.zero(to, n_bytes)
    }

    fn launch(&self, launch: &Launch<'_>) -> Result<()> {
        let sizes = [launch.block, launch.shared_bytes];
        let arguments = launch.arguments.to_vec();
        self.record(Event::Launch(launch.kernel, launch.grid, sizes, arguments));
        self.shim.launch(launch)
    }

    fn product(&self, product: &LibraryProduct) -> Result<bool> {
        self.shim.product(product)
    }

    fn synchronize(&self) -> Result<()> {
        self.shim.synchronize()
    }
}

/// A device that records, and its list.
fn recording(cache: CacheType) -> (Device, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::default();
    let recorder = Recorder {
        shim: Shim::new(ShimOptions::default()),
        events: Arc::clone(&events),
    };
    (Device::new(Cuda::on(Arc::new(recorder), cache)), events)
}

const N_LAYERS: usize = 2;

/// A small model with odd sizes, and weights that depend on their place alone.
fn model(device: &Device) -> Decoder {
    let yaml = "{vocab_size: 61, context_length: 700, emb_dim: 40, n_heads: 4, n_kv_heads: 2, \
                head_dim: 18, hidden_dim: 66, n_layers: 2}";
    let config = Config::from_yaml(yaml).unwrap();
    let stored = expected_tensors(&config).unwrap().into_iter().map(|spec| {
        let n: usize = spec.shape.iter().product();
        let value = |i: usize| ((i * 7919 % 1009) as f32 / 1009.0 - 0.5) * 0.4;
        let tensor = StoredTensor {
            shape: spec.shape,
            dtype: DType::F32,
            bytes: HostBytes::from(
                (0..n)
                    .flat_map(|i| value(i).to_le_bytes())
                    .collect::<Vec<u8>>(),
            ),
        };
        (spec.name, tensor)
    });
    let weights: HashMap<String, StoredTensor> = stored.collect();
    Decoder::load(&config, &weights, device).unwrap()
}

fn append(model: &Decoder, cache: &mut KvCache, tokens: &[u32]) -> Tensor {
    let append = SequenceTokens {
        sequence: 0,
        tokens,
    };
    model.forward(&[append], cache).unwrap()
}

/// The events of one greedy step.
fn step(
    model: &Decoder,
    cache: &mut KvCache,
    id: u32,
    events: &Mutex<Vec<Event>>,
) -> (u32, Vec<Event>) {
    events.lock().unwrap().clear();
    let id = append(model, cache, &[id]).argmax().unwrap()[0];
    (id, events.lock().unwrap().clone())
}

#[test]
fn a_decode_step_asks_for_what_the_step_before_asked_for_and_allocates_nothing() {
    // In the first 256 positions, and behind them, where attention takes two kernels.
    for (prompt, n_attention) in [(5, 1), (300, 2)] {
        let (device, events) = recording(CacheType::F16);
        let model = model(&device);
        let mut cache = model.new_cache(1).unwrap();
        let tokens: Vec<u32> = (0..prompt).map(|i| i % 61).collect();
        let id = append(&model, &mut cache, &tokens).argmax().unwrap()[0];
        let (id, _) = step(&model, &mut cache, id, &events);
        let (id, second) = step(&model, &mut cache, id, &events);
        let (_, third) = step(&model, &mut cache, id, &events);
        assert_eq!(second, third);
        let writes = third
            .iter()
            .filter(|event| matches!(event, Event::Write(..)));
        // The id and its place.
        assert_eq!(writes.count(), 2);
        let launches = third
            .iter()
            .filter(|event| matches!(event, Event::Launch(..)));
        // Embed; q, k and v, attention, o and the addition, gate and up, down and the addition; head
        // and its norm, argmax.
        let of_layer = 4 + n_attention;
        assert_eq!(launches.count(), 1 + N_LAYERS * of_layer + 2, "{third:?}");
        assert!(
            !third
                .iter()
                .any(|event| matches!(event, Event::Allocate(_)))
        );
    }
}

#[test]
fn a_prompt_of_the_same_length_again_allocates_nothing() {
    let (device, events) = recording(CacheType::F32);
    let model = model(&device);
    let mut cache = model.new_cache(1).unwrap();
    let tokens: Vec<u32> = (0..40).collect();
    append(&model, &mut cache, &tokens).to_vec().unwrap();
    cache.truncate(0, 0).unwrap();
    events.lock().unwrap().clear();
    append(&model, &mut cache, &tokens).to_vec().unwrap();
    let events = events.lock().unwrap();
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::Allocate(_)))
    );
}

#[test]
fn a_dropped_device_gives_all_memory_back_even_with_a_product_that_waits() {
    let (device, events) = recording(CacheType::F16);
    let model = model(&device);
    let mut cache = model.new_cache(1).unwrap();
    let logits = append(&model, &mut cache, &[1, 2, 3]);
    let weight = device.tensor(&[2, 61], &[0.5; 122]).unwrap();
    drop(logits.matmul(&weight).unwrap()); // nobody asks for it
    drop((logits, weight, model, cache, device));
    let events = events.lock().unwrap();
    let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert!(count(|event| matches!(event, Event::Allocate(_))) > 20);
    assert_eq!(
        count(|event| matches!(event, Event::Allocate(_))),
        count(|event| matches!(event, Event::Free))
    );
}
