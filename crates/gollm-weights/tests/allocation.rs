//! How much memory a file can make the reader ask for. In a binary of its own, because it counts
//! every allocation of the process; one test, so that nothing else runs meanwhile.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not marked as tests"
)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use gollm_tensor::HostBytes;
use gollm_weights::ModelFile;
use support::bad_files::bad_files;
use support::raw_file::RawFile;
use support::tiny_file;

/// The bound: for each byte of the file …
const FACTOR: usize = 24;
/// … and for any file.
const BASE: usize = 1 << 20;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counting.
struct Counting;

// SAFETY: every call is passed on to the system's allocator unchanged; the counters only watch.
#[expect(unsafe_code, reason = "an allocator cannot be written without it")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promise is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the pointer came from `System` by way of `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most memory in use at once while `bytes` are opened and verified, beyond what was before.
fn peak_of_opening(bytes: HostBytes) -> usize {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = ModelFile::from_bytes(bytes).and_then(|file| file.verify());
    let peak = PEAK.load(Ordering::Relaxed) - before;
    drop(result);
    peak
}

/// Files made to cost the most memory for their length.
fn greedy_files() -> Vec<(&'static str, Vec<u8>)> {
    let with_metadata = |metadata: String| {
        let mut file = tiny_file();
        file.metadata = metadata.into_bytes();
        file.build()
    };
    let list = |item: &str| with_metadata(format!("[{}0]", format!("{item},").repeat(400_000)));
    vec![
        ("numbers", list("0")),
        ("empty arrays", list("[]")),
        ("arrays", list("[0]")),
        ("empty objects", list("{}")),
        ("objects", list(r#"{"":0}"#)),
        ("short strings", list(r#""a""#)),
        ("escaped strings", list(r#""\n\n\n\n\n\n""#)),
        (
            "one long string",
            with_metadata(format!(r#"["{}"]"#, "x".repeat(4 << 20))),
        ),
        (
            "one long escaped string",
            with_metadata(format!(r#"["{}"]"#, r"\n".repeat(2 << 20))),
        ),
        ("keys", with_metadata(keys(100_000))),
        ("small file, many layers", many_layers(1000, 11)),
        ("a tensor for each layer", many_layers(1000, 1000)),
        ("the shortest descriptors", many_layers(1, 100_000)),
    ]
}

fn keys(n_keys: usize) -> String {
    let keys: String = (0..n_keys).map(|i| format!(r#""{i:x}":0,"#)).collect();
    format!(r#"{{{keys}"config":0}}"#)
}

/// A config of `n_layers` beside `n_tensors` tensors with short names.
fn many_layers(n_layers: usize, n_tensors: usize) -> Vec<u8> {
    let config = support::tiny_config().to_json().unwrap();
    let config = config.replace("\"n_layers\":1", &format!("\"n_layers\":{n_layers}"));
    let mut file = RawFile::new(&format!(r#"{{"config":{config}}}"#));
    for i in 0..n_tensors {
        file.push(
            &format!("{i:x}"),
            &[1],
            gollm_tensor::DType::F32,
            vec![0; 4],
        );
    }
    file.build()
}

#[test]
fn no_file_makes_the_reader_ask_for_much_more_than_its_own_size() {
    let bad = bad_files().into_iter().map(|bad| (bad.wrong, bad.bytes));
    let mut worst = 0.0f64;
    for (name, bytes) in greedy_files().into_iter().chain(bad) {
        let n_bytes = bytes.len();
        let peak = peak_of_opening(HostBytes::from(bytes));
        println!("{name}: {n_bytes} bytes, {peak} at the peak");
        assert!(
            peak <= FACTOR * n_bytes + BASE,
            "{name}: {n_bytes} bytes took {peak}"
        );
        worst = worst.max(peak.saturating_sub(BASE) as f64 / n_bytes.max(1) as f64);
    }
    println!("at most {worst:.1} bytes for each byte of the file, beyond the first {BASE}");
}
