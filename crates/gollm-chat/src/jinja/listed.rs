//! Whatever the engine has is listed with its cost, or left out by name.

use std::collections::BTreeSet;

use minijinja::{Environment, ErrorKind, Value};
use minijinja_contrib::pycompat;

use super::callables::{self, FILTERS_LEFT_OUT, FUNCTIONS_LEFT_OUT};

fn names(list: &[callables::Callable]) -> BTreeSet<String> {
    list.iter().map(|callable| callable.0.to_owned()).collect()
}

/// The list behind `field` in what the engine shows of its environment.
fn shown_list(field: &str) -> BTreeSet<String> {
    let shown = format!("{:?}", Environment::new());
    let list = shown.split(&format!("{field}: [")).nth(1).unwrap();
    let list = list.split(']').next().unwrap();
    list.split(", ")
        .map(|name| name.trim_matches('"').to_owned())
        .collect()
}

#[test]
fn every_filter_test_and_function_of_the_engine_is_listed_or_left_out() {
    let mut filters = names(&callables::filters());
    filters.extend(FILTERS_LEFT_OUT.map(str::to_owned));
    // Our own; the engine's `tojson` needs a feature.
    filters.insert("string".to_owned());
    assert_eq!(filters, shown_list("filters"));
    let mut tests = names(&callables::tests());
    tests.insert("divisibleby".to_owned());
    assert_eq!(tests, shown_list("tests"));
    let mut functions = names(&callables::functions());
    functions.extend(FUNCTIONS_LEFT_OUT.map(str::to_owned));
    functions.insert("namespace".to_owned());
    let engine = Environment::new();
    let globals: BTreeSet<String> = engine.globals().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(functions, globals);
}

/// All methods of Python's `str`, `dict` and `list`.
const PYTHON_METHODS: &str = "append capitalize casefold center clear copy count encode endswith \
    expandtabs extend find format format_map fromkeys get index insert isalnum isalpha isascii \
    isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper items join \
    keys ljust lower lstrip maketrans partition pop popitem remove removeprefix removesuffix replace \
    reverse rfind rindex rjust rpartition rsplit rstrip setdefault sort split splitlines startswith \
    strip swapcase title translate update upper values zfill";

#[test]
fn every_method_of_the_engine_is_listed_or_left_out() {
    let environment = Environment::new();
    let mut known = BTreeSet::new();
    for method in PYTHON_METHODS.split_whitespace() {
        for value in [
            Value::from("a"),
            Value::from_pairs([("a", 1)]),
            Value::from(vec![1]),
        ] {
            let mut state = environment.empty_state();
            let result = pycompat::unknown_method_callback(&mut state, &value, method, &[]);
            let is_unknown = |error: minijinja::Error| error.kind() == ErrorKind::UnknownMethod;
            if !result.is_err_and(is_unknown) {
                known.insert(method);
            }
        }
    }
    let mut listed: BTreeSet<&str> = callables::METHODS.map(|method| method.0).into();
    // It fills in widths that a template chooses.
    listed.insert("format");
    assert_eq!(known, listed);
}
