//! Token ids as Python gives them: a list, a NumPy array, a tensor, anything with integers.

use numpy::PyReadonlyArray1;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyInt;

/// Token ids taken from Python.
pub(crate) struct Ids(pub(crate) Vec<u32>);

impl<'py> FromPyObject<'_, 'py> for Ids {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        // What `encode_batch` returns, without a Python object for each id.
        if let Ok(array) = object.extract::<PyReadonlyArray1<'py, u32>>() {
            return Ok(Self(array.as_array().iter().copied().collect()));
        }
        let mut ids = Vec::new();
        for (index, item) in object.try_iter()?.enumerate() {
            let item = item?;
            ids.push(item.extract().map_err(|_| not_an_id(index, &item))?);
        }
        Ok(Self(ids))
    }
}

fn not_an_id(index: usize, item: &Bound<'_, PyAny>) -> PyErr {
    let found = item.repr().map_or_else(
        |_| "something that cannot be shown".to_owned(),
        |repr| repr.to_string(),
    );
    // An integer that is out of range is a wrong value; anything else is a wrong type.
    if item.is_instance_of::<PyInt>() || item.extract::<i64>().is_ok() {
        let message = format!("ids[{index}] is {found}, expected a token id from 0 to 4294967295");
        PyValueError::new_err(message)
    } else {
        PyTypeError::new_err(format!("ids[{index}] is {found}, expected an integer"))
    }
}
