//! Properties of arbitrary bytes, of valid files with arbitrary damage, and of arbitrary models.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not marked as tests"
)]

mod support;

use gollm_model::{Config, expected_tensors};
use gollm_tensor::{DType, HostBytes};
use gollm_weights::{MAGIC, Metadata, ModelFile, stored_dtype};
use proptest::prelude::*;
use proptest::sample::Index;
use support::raw_file::RawFile;
use support::{tiny_file, written};

/// Opens and verifies; whatever comes back, it came back.
fn is_good(bytes: Vec<u8>) -> bool {
    ModelFile::from_bytes(HostBytes::from(bytes)).is_ok_and(|file| file.verify().is_ok())
}

/// Makes the head's checksum right again, so that damage reaches the checks behind it.
fn seal(bytes: &mut [u8]) {
    let number = |at: usize| {
        let field = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>());
        field.map_or(0, |field| u64::from_le_bytes(*field))
    };
    let head = number(16).saturating_add(number(24)).saturating_add(64);
    let Some(end) = usize::try_from(head)
        .ok()
        .filter(|end| (64..=bytes.len()).contains(end))
    else {
        return;
    };
    bytes[48..64].fill(0);
    let hash = blake3::hash(&bytes[..end]);
    bytes[48..64].copy_from_slice(&hash.as_bytes()[..16]);
}

/// One step of damage.
#[derive(Debug, Clone)]
enum Damage {
    Set(Index, u8),
    /// A number that looks like a length or an offset, written over eight bytes.
    Number(Index, u64),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let number = prop_oneof![
        0..300u64,
        Just(u64::MAX),
        (0..64u32).prop_map(|bit| 1 << bit),
        (0..64u32).prop_map(|bit| (1u64 << bit).wrapping_sub(1)),
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (any::<Index>(), number).prop_map(|(at, number)| Damage::Number(at, number)),
        (any::<Index>(), 1..200usize).prop_map(|(at, n)| Damage::Remove(at, n)),
        (any::<Index>(), prop::collection::vec(any::<u8>(), 1..100))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<Index>(), any::<Index>(), 1..200usize)
            .prop_map(|(from, to, n)| Damage::Repeat(from, to, n)),
    ]
}

fn apply(damage: &Damage, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    let span = |at: &Index, n: usize| at.index(length)..(at.index(length) + n).min(length);
    match damage {
        Damage::Set(at, byte) => bytes[at.index(length)] = *byte,
        Damage::Number(at, number) => {
            for (byte, new) in bytes[span(at, 8)].iter_mut().zip(number.to_le_bytes()) {
                *byte = new;
            }
        }
        Damage::Remove(at, n) => drop(bytes.drain(span(at, *n))),
        Damage::Insert(at, new) => drop(bytes.splice(span(at, 0), new.iter().copied())),
        Damage::Repeat(from, to, n) => {
            let copy = bytes[span(from, *n)].to_vec();
            drop(bytes.splice(span(to, 0), copy));
        }
    }
}

/// A small config with odd sizes.
fn config() -> impl Strategy<Value = Config> {
    let sizes = (
        1..9usize,
        1..4usize,
        1..3usize,
        1..4usize,
        1..9usize,
        1..4usize,
    );
    (sizes, any::<bool>()).prop_map(|((vocab, emb, kv, group, hidden, layers), tied)| {
        // Rows are multiples of 32, so that every storage type can hold them.
        Config::from_yaml(&format!(
            "{{vocab_size: {vocab}, context_length: 8, emb_dim: {}, n_heads: {}, n_kv_heads: {kv},
               head_dim: 32, hidden_dim: {}, n_layers: {layers}, tie_embeddings: {tied}}}",
            32 * emb,
            kv * group,
            32 * hidden,
        ))
        .unwrap()
    })
}

/// A file of `config` whose tensors have arbitrary types, and bytes that any seed gives.
fn file_of(config: &Config, types: &[Index], seed: u64) -> RawFile {
    let mut file = RawFile::new(&format!(r#"{{"config":{}}}"#, config.to_json().unwrap()));
    let mut state = seed;
    for (spec, dtype) in expected_tensors(config)
        .unwrap()
        .iter()
        .zip(types.iter().cycle())
    {
        let dtype = stored_dtype(&spec.shape, *dtype.get(&DType::ALL));
        let n_bytes = dtype.n_bytes(&spec.shape).unwrap();
        let data = (0..n_bytes).map(|_| {
            // Knuth's MMIX generator; its top byte.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        });
        file.push(&spec.name, &spec.shape, dtype, data.collect());
    }
    file
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_never_a_model(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(!is_good(bytes.clone()));
        let mut with_magic = MAGIC.to_vec();
        with_magic.extend([1, 0, 0, 0, 0, 0, 0, 0]);
        with_magic.extend(&bytes);
        seal(&mut with_magic);
        prop_assert!(!is_good(with_magic));
    }

    #[test]
    fn a_damaged_file_is_never_a_model(steps in prop::collection::vec(damage(), 1..6)) {
        let whole = tiny_file().build();
        let mut bytes = whole.clone();
        steps.iter().for_each(|step| apply(step, &mut bytes));
        prop_assert_eq!(is_good(bytes.clone()), bytes == whole);
    }

    /// Behind a right checksum anything may happen but a crash; a file that still opens is one that
    /// is consistent in itself, such as one whose provenance has changed.
    #[test]
    fn damage_behind_a_right_checksum_crashes_nothing(steps in prop::collection::vec(damage(), 1..4)) {
        let mut bytes = tiny_file().build();
        steps.iter().for_each(|step| apply(step, &mut bytes));
        seal(&mut bytes);
        if let Ok(file) = ModelFile::from_bytes(HostBytes::from(bytes.clone())) {
            let mut end = 0;
            for tensor in file.descriptors() {
                prop_assert!(tensor.offset >= end);
                end = tensor.offset + tensor.n_bytes;
                prop_assert_eq!(file.bytes(&tensor.name).unwrap().len(), tensor.n_bytes);
            }
            prop_assert_eq!(end, bytes.len());
        }
    }

    /// JSON of any shape in the place of the metadata.
    #[test]
    fn arbitrary_metadata_crashes_nothing(text in r#"[\[\]{}",:0-9a-z\\ -]{0,200}"#) {
        let mut file = tiny_file();
        file.metadata = text.into_bytes();
        prop_assert!(!is_good(file.build()));
    }
}

proptest! {
    // Each case writes a file and waits for the disk twice.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_model_comes_back_as_it_was_written(
        config in config(),
        types in prop::collection::vec(any::<Index>(), 1..8),
        seed in any::<u64>(),
        note in ".{0,80}",
    ) {
        let raw = file_of(&config, &types, seed);
        let mut metadata = Metadata::new(config);
        metadata.provenance.insert("note".to_owned(), note.into());
        let bytes = written(&metadata, &raw).unwrap();
        let file = ModelFile::from_bytes(HostBytes::from(bytes)).unwrap();
        file.verify().unwrap();
        prop_assert_eq!(file.metadata(), &metadata);
        for (name, shape, dtype, data) in raw.encoded_tensors() {
            let found = file.descriptor(&name).unwrap();
            prop_assert_eq!((&found.shape, found.dtype), (&shape, dtype));
            let bytes = file.bytes(&name).unwrap();
            prop_assert_eq!(bytes.as_slice(), data);
        }
    }
}
