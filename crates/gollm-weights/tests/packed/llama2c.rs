//! llama2.c checkpoints of version 0.

use super::*;

/// The groups between the embedding table and the last norm, in the order of the file.
fn groups(config: &Config) -> [(&'static str, Vec<usize>); 9] {
    let (emb_dim, hidden_dim, kv_dim) = (config.emb_dim, config.hidden_dim, config.kv_dim());
    [
        ("attn_norm", vec![emb_dim]),
        ("attn.q_proj", vec![emb_dim, emb_dim]),
        ("attn.k_proj", vec![kv_dim, emb_dim]),
        ("attn.v_proj", vec![kv_dim, emb_dim]),
        ("attn.o_proj", vec![emb_dim, emb_dim]),
        ("ffn_norm", vec![emb_dim]),
        ("ffn.gate_proj", vec![hidden_dim, emb_dim]),
        ("ffn.down_proj", vec![emb_dim, hidden_dim]),
        ("ffn.up_proj", vec![hidden_dim, emb_dim]),
    ]
}

fn header(config: &Config) -> [i32; 7] {
    let vocab_size = config.vocab_size as i32;
    [
        config.emb_dim as i32,
        config.hidden_dim as i32,
        config.n_layers as i32,
        config.n_heads as i32,
        config.n_kv_heads as i32,
        if config.tie_embeddings {
            vocab_size
        } else {
            -vocab_size
        },
        config.context_length as i32,
    ]
}

fn file(config: &Config) -> Vec<u8> {
    let mut bytes: Vec<u8> = header(config)
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect();
    let mut push = |name: &str, shape: &[usize]| {
        bytes.extend(quantize(&theirs(name, shape, config), DType::F32).unwrap());
    };
    let table = [config.vocab_size, config.emb_dim];
    push("tok_emb.weight", &table);
    for (part, shape) in groups(config) {
        for layer in 0..config.n_layers {
            push(&format!("blocks.{layer}.{part}.weight"), &shape);
        }
    }
    push("final_norm.weight", &[config.emb_dim]);
    push("cosines", &[config.context_length, config.head_dim / 2]);
    push("sines", &[config.context_length, config.head_dim / 2]);
    if !config.tie_embeddings {
        push("out_head.weight", &table);
    }
    bytes
}

#[test]
fn a_checkpoint_gives_config_and_tensors_with_rows_of_split_halves() {
    for tie in [true, false] {
        let config = config(&format!("tie_embeddings: {tie}"));
        let model = open(&file(&config)).unwrap();
        assert_eq!(*model.config(), config);
        assert_eq!(model.format(), "llama2.c checkpoint, version 0");
        assert_named(&model, 0.0);
        assert!(model.verify().is_ok());
    }
}

#[test]
fn from_the_disk_it_is_mapped_or_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stories.bin");
    std::fs::write(&path, file(&config(""))).unwrap();
    for map in [true, false] {
        let options = OpenOptions { map, verify: true };
        assert_named(&ModelFile::open(&path, &options).unwrap(), 0.0);
    }
}

#[test]
fn only_a_length_to_the_byte_makes_it_one() {
    let bytes = file(&config("tie_embeddings: false"));
    let unknown = "binary data of no kind that gollm knows";
    for length in 0..bytes.len() {
        // A start of zeros or a letter would be called something else; nothing is opened.
        assert!(open(&bytes[..length]).is_err(), "{length}");
    }
    assert_holds(&refused(&bytes[..bytes.len() - 1]), unknown);
    let longer = [&bytes[..], &[0]].concat();
    assert_holds(&refused(&longer), unknown);
    for (place, number) in [0, -1, i32::MAX, i32::MIN, 1 << 20]
        .into_iter()
        .flat_map(|number| (0..7).map(move |place| (place, number)))
    {
        let mut changed = bytes.clone();
        changed[4 * place..4 * place + 4].copy_from_slice(&number.to_le_bytes());
        assert!(open(&changed).is_err(), "{place} {number}");
    }
    // A table that is said to be the head as well leaves a matrix over.
    let mut changed = bytes.clone();
    changed[20..24].copy_from_slice(&10i32.to_le_bytes());
    assert_holds(&refused(&changed), unknown);
}
