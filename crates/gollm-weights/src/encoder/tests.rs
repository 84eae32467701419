//! A disk that fails, at every call in turn.

use std::io::Cursor;

use gollm_model::{Config, expected_tensors};

use super::*;
use crate::model_file::ModelFile;

/// A disk that fails at the call number `fails_at`, and from then on.
struct Failing {
    disk: Cursor<Vec<u8>>,
    n_calls: usize,
    fails_at: usize,
}

impl Failing {
    fn call(&mut self) -> io::Result<&mut Cursor<Vec<u8>>> {
        self.n_calls += 1;
        if self.n_calls > self.fails_at {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(&mut self.disk)
    }
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.call()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call()?.flush()
    }
}

impl Seek for Failing {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.call()?.seek(position)
    }
}

const BROKEN: &str = "an earlier part of it could not be written; start the file again";

/// Writes a small model and goes on after a failure, as a careless caller would.
fn encode(fails_at: usize) -> Result<Failing> {
    let config = Config::from_yaml(
        "{vocab_size: 4, context_length: 8, emb_dim: 2, n_heads: 1, n_kv_heads: 1,
          hidden_dim: 3, n_layers: 1}",
    )
    .unwrap();
    let sink = Failing {
        disk: Cursor::default(),
        n_calls: 0,
        fails_at,
    };
    let mut encoder = Encoder::new(sink, &Metadata::new(config.clone()))?;
    let mut failure = None;
    for tensor in expected_tensors(&config).unwrap() {
        let values = vec![0.25; tensor.shape.iter().product()];
        let done = encoder.tensor_f32(&tensor.name, &tensor.shape, DType::F16, &values);
        match (done, &failure) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => panic!("`{}` was written behind half a tensor", tensor.name),
            (Err(error), None) => failure = Some(error),
            (Err(error), Some(_)) => assert_eq!(error.to_string(), BROKEN),
        }
    }
    let finished = encoder.finish();
    match failure {
        None => finished,
        Some(first) => {
            let error = finished.map(|_| ()).unwrap_err();
            assert_eq!(error.to_string(), BROKEN);
            Err(first)
        }
    }
}

#[test]
fn whichever_call_to_the_disk_fails_the_error_comes_back() {
    let whole = encode(usize::MAX).unwrap();
    assert!(whole.n_calls > 20, "{} calls", whole.n_calls);
    for fails_at in 0..whole.n_calls {
        let error = encode(fails_at).map(|_| ()).unwrap_err();
        let kind = error.io_error().map(io::Error::kind);
        assert_eq!(
            kind,
            Some(io::ErrorKind::StorageFull),
            "call {fails_at}: {error}"
        );
    }
    let bytes = whole.disk.into_inner();
    let file = ModelFile::from_bytes(bytes.into()).unwrap();
    file.verify().unwrap();
}
