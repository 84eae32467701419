//! Files from strangers: each mistake has its message, and none costs time or memory.

use super::*;

/// The message that a changed file is refused with, which must come at once.
fn refused(change: impl FnOnce(&mut RawGguf)) -> String {
    let mut file = f32_file();
    change(&mut file);
    refused_bytes(file.bytes())
}

fn refused_bytes(bytes: Vec<u8>) -> String {
    let started = Instant::now();
    let error = ModelFile::from_bytes(HostBytes::new(bytes)).unwrap_err();
    // The file is 40 kB and is read in well under a millisecond; a busy machine may keep one of thousands
    // waiting. What must not happen is work by a number that the file only claims.
    assert!(started.elapsed() < Duration::from_secs(5), "{error}");
    error.to_string()
}

#[test]
fn every_truncation_is_refused() {
    let bytes = f32_file().bytes();
    for length in 0..bytes.len() {
        let cut = bytes[..length].to_vec();
        assert!(
            ModelFile::from_bytes(HostBytes::new(cut)).is_err(),
            "{length}"
        );
    }
}

#[test]
fn no_changed_byte_of_the_head_makes_it_crash() {
    let bytes = f32_file().bytes();
    let head = bytes.len()
        - f32_file()
            .tensors
            .iter()
            .map(|t| t.data.len())
            .sum::<usize>();
    let mut n_opened = 0;
    for at in 0..head {
        for flip in [0x01, 0x80, 0xFF] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            // Some changes only rename something; what opens must give every tensor.
            if let Ok(model) = ModelFile::from_bytes(HostBytes::new(changed)) {
                n_opened += 1;
                assert!(model.verify().is_ok());
            }
        }
    }
    assert!(n_opened > 0 && n_opened < head, "{n_opened} of {head}");
}

#[test]
fn counts_and_lengths_are_compared_with_the_file() {
    let huge = [1 << 42 | 1, 1 << 62, (1 << 63) - 1, u64::MAX / 4, u64::MAX];
    for n in huge {
        let message = refused(|file| file.n_tensors = Some(n));
        assert!(
            message.contains(&format!("claims {n} tensors")),
            "{message}"
        );
        let message = refused(|file| file.n_values = Some(n));
        assert!(message.contains(&format!("claims {n} values")), "{message}");
        // A string, an array of numbers, an array of strings.
        let length = n.to_le_bytes().to_vec();
        let array = |kind: u32| [&kind.to_le_bytes()[..], &length].concat();
        for raw in [
            Raw::Bytes(8, length.clone()),
            Raw::Bytes(9, array(5)),
            Raw::Bytes(9, array(8)),
        ] {
            let message = refused(|file| file.set("zz", raw));
            let named = message.contains("`zz`") || message.contains("zz at byte");
            assert!(named || message.contains("array elements"), "{message}");
        }
        let message = refused(|file| file.tensor("output.weight").dims[0] = n);
        assert!(message.contains("`output.weight`"), "{message}");
        let message = refused(|file| file.tensor("output.weight").dims = vec![n, n, n, n]);
        assert!(message.contains("`output.weight`"), "{message}");
        let message = refused(|file| file.tensor("output.weight").offset = Some(n));
        assert!(message.contains("`output.weight`"), "{message}");
    }
    // Sixty-four bytes that ask for gigabytes.
    let mut small = [b"GGUF".to_vec(), vec![3, 0, 0, 0]].concat();
    small.extend((1u64 << 32).to_le_bytes());
    small.resize(64, 0);
    assert!(refused_bytes(small).contains("claims 4294967296 tensors"));
}

#[test]
fn arrays_in_arrays_have_an_end() {
    for (depth, is_refused) in [(4, false), (5, true), (5000, true)] {
        let mut raw = Vec::new();
        for _ in 1..depth {
            raw.extend(9u32.to_le_bytes());
            raw.extend(1u64.to_le_bytes());
        }
        raw.extend(4u32.to_le_bytes());
        raw.extend(0u64.to_le_bytes());
        let mut file = f32_file();
        file.set("zz", Raw::Bytes(9, raw));
        assert_eq!(open(&file).is_err(), is_refused, "{depth}");
    }
}

#[test]
fn each_mistake_in_the_head_has_its_own_message() {
    type Change = fn(&mut RawGguf);
    let cases: [(&str, Change); 18] = [
        ("GGUF version 1;", |f| f.version = 1),
        ("GGUF version 4;", |f| f.version = 4),
        ("big-endian", |f| f.version = 3u32.swap_bytes()),
        ("`zz`: it is there twice", |f| {
            f.values.extend([
                ("zz".to_owned(), Raw::U32(1)),
                ("zz".to_owned(), Raw::U32(2)),
            ]);
        }),
        ("stored as 2, expected 0 or 1", |f| {
            f.set("zz", Raw::Bool(2))
        }),
        ("kind of value 13", |f| {
            f.set("zz", Raw::Bytes(13, vec![0; 8]))
        }),
        ("`general.alignment`: it is 0", |f| {
            f.set("general.alignment", Raw::U32(0))
        }),
        ("`general.alignment`: it is 24", |f| {
            f.set("general.alignment", Raw::U32(24))
        }),
        ("`general.alignment`: it is a string", |f| {
            f.set("general.alignment", Raw::Text("32".to_owned()));
        }),
        ("0 dimensions", |f| f.tensor("output.weight").dims.clear()),
        ("5 dimensions", |f| {
            f.tensor("output.weight").dims = vec![1; 5]
        }),
        ("a dimension is 0", |f| {
            f.tensor("output.weight").dims[1] = 0
        }),
        ("type is IQ4_XS (23)", |f| {
            f.tensor("output.weight").code = 23
        }),
        ("type is unknown (31)", |f| {
            f.tensor("output.weight").code = 31
        }),
        ("no multiple of 32", |f| {
            f.tensor("output.weight").offset = Some(8)
        }),
        ("overlap those of", |f| {
            f.tensor("output.weight").offset = Some(0)
        }),
        ("rows of 8 are not whole blocks of 32 (q8_0)", |f| {
            f.tensor("blk.0.attn_output.weight").code = 8;
        }),
        ("rows of 32 are not whole blocks of 256 (q4_k)", |f| {
            f.tensor("output.weight").code = 12;
        }),
    ];
    for (expected, change) in cases {
        let message = refused(change);
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn each_model_that_is_not_computed_here_is_refused_by_name() {
    type Change = fn(&mut RawGguf);
    let text = |text: &str| Raw::Text(text.to_owned());
    let architecture = refused(|f| f.set("general.architecture", text("gpt-neox")));
    assert!(
        architecture.contains("architecture is `gpt-neox`"),
        "{architecture}"
    );
    let cases: [(&str, Change); 15] = [
        ("`general.architecture` is missing", |f| {
            f.remove("general.architecture")
        }),
        ("`llama.block_count` is missing", |f| {
            f.remove("llama.block_count")
        }),
        ("`llama.attention.head_count`: it is 0", |f| {
            f.set("llama.attention.head_count", Raw::U32(0));
        }),
        ("it is -1, expected a number of at least 0", |f| {
            f.set("llama.block_count", Raw::I32(-1));
        }),
        ("4000000000 layers", |f| {
            f.set("llama.block_count", Raw::U32(4_000_000_000))
        }),
        ("900 layers, but there are only 12", |f| {
            f.set("llama.block_count", Raw::U32(900))
        }),
        ("where heads have 0 numbers", |f| {
            f.set("llama.attention.key_length", Raw::U32(0))
        }),
        ("only equal ones are computed", |f| {
            f.set("llama.rope.dimension_count", Raw::U32(2))
        }),
        ("mixtures of experts", |f| {
            f.set("llama.expert_count", Raw::U32(8))
        }),
        ("scaling `yarn`", |f| {
            f.set("llama.rope.scaling.type", Raw::Text("yarn".to_owned()));
        }),
        ("`blk.0.attn_output.bias`", |f| {
            f.tensor("output.weight").name = "blk.0.attn_output.bias".to_owned();
        }),
        ("`blocks.0.attn.q_proj.bias` does not belong", |f| {
            f.tensor("output.weight").name = "blk.0.attn_q.bias".to_owned()
        }),
        ("`token_embd.weight`: it is missing", |f| {
            f.tensors.remove(0);
        }),
        ("`blocks.0.attn.k_proj.weight` is missing", |f| {
            f.tensors.remove(3);
        }),
        ("has shape [4, 32], expected [8, 32]", |f| {
            f.tensor("blk.0.attn_q.weight").dims[1] = 4;
        }),
    ];
    for (expected, change) in cases {
        let message = refused(change);
        let layers = expected.starts_with("4000000000") && message.contains("n_layers");
        assert!(
            layers || message.contains(expected),
            "{expected}: {message}"
        );
    }
}

#[test]
fn each_vocabulary_that_cannot_be_used_is_refused_by_name() {
    type Change = fn(&mut RawGguf);
    let cases: [(&str, Change); 8] = [
        // Of SentencePiece's kind, but without its scores.
        ("`tokenizer.ggml.scores`", |f| {
            f.set("tokenizer.ggml.model", Raw::Text("llama".to_owned()))
        }),
        ("`bert`", |f| {
            f.set("tokenizer.ggml.model", Raw::Text("bert".to_owned()))
        }),
        ("pre-tokenizer is `tekken`", |f| {
            f.set("tokenizer.ggml.pre", Raw::Text("tekken".to_owned()));
        }),
        ("1 tokens where the embedding table has 8 rows", |f| {
            f.set("tokenizer.ggml.tokens", Raw::Texts(vec!["a".to_owned()]));
        }),
        ("7 entries for 8 tokens", |f| {
            f.set("tokenizer.ggml.token_type", Raw::I32s(vec![1; 7]));
        }),
        ("token 0 is of type 6", |f| {
            f.set("tokenizer.ggml.token_type", Raw::I32s(vec![6; 8]));
        }),
        ("an array, expected a string", |f| {
            f.set("tokenizer.ggml.model", Raw::I32s(vec![1]));
        }),
        ("holds a line end", |f| {
            f.set("tokenizer.ggml.merges", Raw::Texts(vec!["a\nb".to_owned()]));
        }),
    ];
    for (expected, change) in cases {
        let message = refused(change);
        assert!(message.contains(expected), "{expected}: {message}");
    }
}
