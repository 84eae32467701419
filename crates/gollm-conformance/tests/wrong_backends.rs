//! The conformance suite must be able to fail: each of these backends is wrong in one operation.
#![allow(
    clippy::expect_used,
    reason = "a test whose setting cannot be made should panic"
)]

use gollm_conformance::{Bounds, Check, assert_conforms, run};
use gollm_tensor::{
    Backend, CachedAttention, DType, Device, HostBytes, Place, Reference, Result, RopeTable,
    Storage, Tensor,
};

/// The reference, with one operation spoilt.
struct Spoilt {
    operation: &'static str,
}

impl Spoilt {
    /// Adds an error of 1e-2 of the largest number to the last value, if this is the operation.
    fn spoil(&self, operation: &str, tensor: Tensor) -> Result<Tensor> {
        if operation != self.operation {
            return Ok(tensor);
        }
        let mut values = tensor.to_vec()?;
        let largest = values.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
        if let Some(last) = values.last_mut() {
            *last += largest * 1e-2;
        }
        tensor.device().tensor(tensor.shape(), &values)
    }
}

impl Backend for Spoilt {
    fn name(&self) -> &str {
        "spoilt"
    }
    fn description(&self) -> String {
        format!("the reference with a wrong {}", self.operation)
    }
    fn upload(&self, shape: &[usize], dtype: DType, bytes: HostBytes) -> Result<Storage> {
        Reference.upload(shape, dtype, bytes)
    }
    fn zeros(&self, shape: &[usize]) -> Result<Storage> {
        Reference.zeros(shape)
    }
    fn download(&self, tensor: &Tensor) -> Result<Vec<f32>> {
        Reference.download(tensor)
    }
    fn embed(&self, table: &Tensor, ids: &[u32]) -> Result<Tensor> {
        self.spoil("embed", Reference.embed(table, ids)?)
    }
    fn rms_norm(&self, x: &Tensor, weight: &Tensor, eps: f32) -> Result<Tensor> {
        self.spoil("rms_norm", Reference.rms_norm(x, weight, eps)?)
    }
    fn matmul(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        self.spoil("matmul", Reference.matmul(x, weight)?)
    }
    fn rope(&self, x: &Tensor, table: &RopeTable, places: &[Place]) -> Result<Tensor> {
        self.spoil("rope", Reference.rope(x, table, places)?)
    }
    fn write_rows(&self, cache: &mut Tensor, rows: &Tensor, places: &[Place]) -> Result<()> {
        let rows = self.spoil("write_rows", rows.clone())?;
        Reference.write_rows(cache, &rows, places)
    }
    fn attention(
        &self,
        q: &Tensor,
        keys: &Tensor,
        values: &Tensor,
        places: &[Place],
        head_dim: usize,
    ) -> Result<Tensor> {
        self.spoil(
            "attention",
            Reference.attention(q, keys, values, places, head_dim)?,
        )
    }
    fn swiglu(&self, gate: &Tensor, up: &Tensor) -> Result<Tensor> {
        self.spoil("swiglu", Reference.swiglu(gate, up)?)
    }
    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        self.spoil("add", Reference.add(a, b)?)
    }
    fn add_rows(&self, sum: &mut Tensor, rows: &Tensor, to: &[u32], scales: &[f32]) -> Result<()> {
        let rows = self.spoil("add_rows", rows.clone())?;
        Reference.add_rows(sum, &rows, to, scales)
    }
    fn softmax(&self, x: &Tensor) -> Result<Tensor> {
        self.spoil("softmax", Reference.softmax(x)?)
    }
    fn norm_matmul(
        &self,
        x: &Tensor,
        norm: &Tensor,
        eps: f32,
        weights: &[&Tensor],
    ) -> Result<Vec<Tensor>> {
        let outputs = Reference.norm_matmul(x, norm, eps, weights)?;
        outputs
            .into_iter()
            .map(|output| self.spoil("norm_matmul", output))
            .collect()
    }
    fn cached_attention(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        cache: CachedAttention<'_>,
    ) -> Result<Tensor> {
        self.spoil(
            "cached_attention",
            Reference.cached_attention(q, k, v, cache)?,
        )
    }
    fn feed_forward(
        &self,
        x: &Tensor,
        norm: &Tensor,
        eps: f32,
        weights: [&Tensor; 3],
    ) -> Result<Tensor> {
        self.spoil(
            "feed_forward",
            Reference.feed_forward(x, norm, eps, weights)?,
        )
    }
    fn argmax(&self, x: &Tensor) -> Result<Vec<u32>> {
        let columns = Reference.argmax(x)?;
        let wrong = u32::from(self.operation == "argmax");
        Ok(columns.into_iter().map(|column| column + wrong).collect())
    }
}

fn failed(operation: &'static str) -> Vec<String> {
    let device = Device::new(Spoilt { operation });
    let checks = run(&device, &Bounds::default()).expect("every operation runs");
    checks
        .iter()
        .filter(|check| !check.passed())
        .map(|check| check.case.clone())
        .collect()
}

#[test]
fn an_unspoilt_backend_passes() {
    assert_eq!(failed("nothing"), Vec::<String>::new());
    assert_conforms(
        &Device::new(Spoilt {
            operation: "nothing",
        }),
        &Bounds::default(),
    );
}

#[test]
fn a_wrong_operation_is_caught() {
    let operations = [
        "embed",
        "rms_norm",
        "matmul",
        "rope",
        "write_rows",
        "attention",
        "swiglu",
        "add",
        "add_rows",
        "softmax",
        "argmax",
        "norm_matmul",
        "cached_attention",
        "feed_forward",
    ];
    for operation in operations {
        let failed = failed(operation);
        assert!(!failed.is_empty(), "a wrong `{operation}` went unnoticed");
        // Fused forms are made of the plain ones, so they may fail as well; the name itself must.
        let named = match operation {
            "rope" | "write_rows" => "cached_attention",
            name => name,
        };
        assert!(
            failed.iter().any(|case| case.starts_with(named)),
            "{operation}: {failed:?}"
        );
    }
}

#[test]
fn a_difference_of_nan_does_not_pass() {
    let check = Check {
        case: "nan".to_owned(),
        difference: f32::NAN,
        bound: 1.0,
    };
    assert!(!check.passed());
}

#[test]
#[should_panic(expected = "device `spoilt` fails")]
fn the_assertion_names_the_device_and_the_cases() {
    assert_conforms(
        &Device::new(Spoilt {
            operation: "matmul",
        }),
        &Bounds::default(),
    );
}
