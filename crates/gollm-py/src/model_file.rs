//! Writing and checking `.gollm` files.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use gollm_model::{Config, expected_tensors};
use gollm_tensor::DType;
use gollm_weights::{Metadata, Writer};
use numpy::{PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;

use crate::error::Result;
use crate::json;

/// A tensor to be written: name, shape, values in row-major order.
type Named<'a> = (&'a str, &'a [usize], Cow<'a, [f32]>);

/// Writes a model file, whole or not at all.
///
/// `config_json` is the model's shape as a JSON object with the keys of the YAML files; `tensors`
/// maps names to float32 arrays; `dtype` is how matrices are stored ("f32", "f16", "bf16", "q8_0"
/// or "q4_0", vectors stay f32), and replaces the config's. The other arguments are put into the
/// file as they are: `Tokenizer.to_json()`, a chat template, and any JSON object that says how the
/// weights came to be. The arrays must not be changed meanwhile.
///
/// Raises ValueError for a config or JSON that is wrong, TypeError for an array that is not
/// float32, GollmError for tensors that do not fit the config or are not finite, OSError if it
/// cannot write.
#[pyfunction]
#[pyo3(signature = (
    path, config_json, tensors, dtype, tokenizer_json = None, chat_template = None,
    provenance_json = None,
))]
#[expect(
    clippy::too_many_arguments,
    reason = "they are keyword arguments, one for each part of a file"
)]
pub(crate) fn write_model(
    py: Python<'_>,
    path: PathBuf,
    config_json: &str,
    tensors: &Bound<'_, PyDict>,
    dtype: &str,
    tokenizer_json: Option<&str>,
    chat_template: Option<String>,
    provenance_json: Option<&str>,
) -> Result<()> {
    let dtype: DType = dtype.parse()?;
    let config = Config {
        dtype,
        ..Config::from_json(config_json)?
    };
    let tokenizer = tokenizer_json.map(|text| json::parse_object("tokenizer_json", text));
    let provenance = provenance_json.map(|text| json::parse_object("provenance_json", text));
    let metadata = Metadata {
        tokenizer: tokenizer.transpose()?.map(Value::Object),
        chat_template,
        provenance: provenance.transpose()?.unwrap_or_default(),
        ..Metadata::new(config)
    };
    let arrays = arrays(tensors)?;
    let named: Vec<Named<'_>> = arrays.iter().map(named).collect();
    py.detach(|| write(&path, &metadata, dtype, named))
}

/// Checks every byte of a model file and returns what is in it: `version`, `file_bytes`,
/// `n_parameters`, and `tensors`, a list with `name`, `dtype`, `n_elements`, `n_nan` and
/// `n_infinite` of each.
///
/// Raises GollmError for damage, saying where; OSError if the file cannot be read. Values that are
/// NaN or infinite are counted and not refused.
#[pyfunction]
pub(crate) fn verify(py: Python<'_>, path: PathBuf) -> Result<Bound<'_, PyDict>> {
    let report = py.detach(|| gollm_weights::verify(path))?;
    let tensors = report.tensors.iter().map(|tensor| {
        let entry = PyDict::new(py);
        entry.set_item("name", &tensor.name)?;
        entry.set_item("dtype", tensor.dtype.name())?;
        entry.set_item("n_elements", tensor.n_elements)?;
        entry.set_item("n_nan", tensor.n_nan)?;
        entry.set_item("n_infinite", tensor.n_infinite)?;
        Ok(entry)
    });
    let tensors = tensors.collect::<PyResult<Vec<_>>>()?;
    let entries = PyDict::new(py);
    entries.set_item("version", report.version.to_string())?;
    entries.set_item("file_bytes", report.file_bytes)?;
    entries.set_item("n_parameters", report.n_parameters)?;
    entries.set_item("tensors", tensors)?;
    Ok(entries)
}

/// Takes the arrays out of the dict.
fn arrays<'py>(
    tensors: &Bound<'py, PyDict>,
) -> PyResult<Vec<(String, PyReadonlyArrayDyn<'py, f32>)>> {
    let entries = tensors.iter().map(|(name, array)| {
        let name: String = name.extract()?;
        let array = array
            .extract::<PyReadonlyArrayDyn<'py, f32>>()
            .map_err(|_| not_f32(&name, &array))?;
        Ok((name, array))
    });
    entries.collect()
}

fn not_f32(name: &str, found: &Bound<'_, PyAny>) -> PyErr {
    let found = match found.cast::<PyUntypedArray>() {
        Ok(array) => format!("an array of {}", array.dtype()),
        Err(_) => format!("{}", found.get_type()),
    };
    PyTypeError::new_err(format!(
        "tensors[{name:?}] is {found}, expected a NumPy array of float32"
    ))
}

fn named<'a>((name, array): &'a (String, PyReadonlyArrayDyn<'_, f32>)) -> Named<'a> {
    let values = match array.as_slice() {
        // Also given for columns that lie one after the other, which are not the rows of a file.
        Ok(values) if array.is_c_contiguous() => Cow::Borrowed(values),
        _ => Cow::Owned(array.as_array().iter().copied().collect()),
    };
    (name, array.shape(), values)
}

/// Writes the tensors in the order of a model's own list, whatever order the dict has.
fn write(
    path: &Path,
    metadata: &Metadata,
    dtype: DType,
    mut tensors: Vec<Named<'_>>,
) -> Result<()> {
    let expected = expected_tensors(&metadata.config)?;
    let place = |name: &str| expected.iter().position(|spec| spec.name == name);
    // A name that is not in the list comes last and is refused by the writer.
    tensors.sort_by_cached_key(|(name, ..)| place(name).unwrap_or(usize::MAX));
    let mut writer = Writer::create(path, metadata)?;
    for (name, shape, values) in tensors {
        writer.tensor_f32(name, shape, dtype, &values)?;
    }
    Ok(writer.finish()?)
}
