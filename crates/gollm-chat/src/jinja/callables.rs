//! Filters, tests, functions and methods that a template may call, each with what it costs.
//!
//! Nothing else is there: the environment begins empty, and a method that is not listed is unknown.
//! So what a later version of the engine brings is left out until somebody has thought of its cost,
//! and the tests say that it came.

use minijinja::{Value, filters, functions, tests};

use super::call_cost::Cost;

/// A name, what a call costs, and the engine's function.
pub(crate) type Callable = (&'static str, Cost, Value);

/// Filters, without `string` and `tojson`, which are our own.
pub(crate) fn filters() -> Vec<Callable> {
    use Cost as C;
    vec![
        ("abs", C::Shallow, Value::from_function(filters::abs)),
        ("attr", C::Shallow, Value::from_function(filters::attr)),
        ("bool", C::Shallow, Value::from_function(filters::bool)),
        (
            "capitalize",
            C::Text,
            Value::from_function(filters::capitalize),
        ),
        ("count", C::Shallow, Value::from_function(filters::length)),
        ("d", C::Shallow, Value::from_function(filters::default)),
        (
            "default",
            C::Shallow,
            Value::from_function(filters::default),
        ),
        ("dictsort", C::Sort, Value::from_function(filters::dictsort)),
        ("e", C::Escape, Value::from_function(filters::escape)),
        ("escape", C::Escape, Value::from_function(filters::escape)),
        ("first", C::Shallow, Value::from_function(filters::first)),
        ("float", C::Shallow, Value::from_function(filters::float)),
        ("indent", C::Indent, Value::from_function(filters::indent)),
        ("int", C::Shallow, Value::from_function(filters::int)),
        ("items", C::EachItem, Value::from_function(filters::items)),
        ("join", C::Join(0), Value::from_function(filters::join)),
        ("last", C::EachItem, Value::from_function(filters::last)),
        ("length", C::Shallow, Value::from_function(filters::length)),
        ("lines", C::Split, Value::from_function(filters::lines)),
        ("list", C::EachItem, Value::from_function(filters::list)),
        ("lower", C::Text, Value::from_function(filters::lower)),
        ("map", C::EachItem, Value::from_function(filters::map)),
        ("max", C::Sort, Value::from_function(filters::max)),
        ("min", C::Sort, Value::from_function(filters::min)),
        ("reject", C::EachItem, Value::from_function(filters::reject)),
        (
            "rejectattr",
            C::EachItem,
            Value::from_function(filters::rejectattr),
        ),
        (
            "replace",
            C::Replace,
            Value::from_function(filters::replace),
        ),
        (
            "reverse",
            C::EachItem,
            Value::from_function(filters::reverse),
        ),
        ("round", C::Shallow, Value::from_function(filters::round)),
        ("safe", C::Text, Value::from_function(filters::safe)),
        ("select", C::EachItem, Value::from_function(filters::select)),
        (
            "selectattr",
            C::EachItem,
            Value::from_function(filters::selectattr),
        ),
        ("sort", C::Sort, Value::from_function(filters::sort)),
        ("title", C::Text, Value::from_function(filters::title)),
        ("trim", C::Trim, Value::from_function(filters::trim)),
        ("unique", C::Sort, Value::from_function(filters::unique)),
        ("upper", C::Text, Value::from_function(filters::upper)),
    ]
}

/// Filters of the engine that are left out: they make much of little, and no published chat
/// template was seen to use them.
#[cfg(test)]
pub(crate) const FILTERS_LEFT_OUT: [&str; 9] = [
    "batch", "chain", "format", "groupby", "pprint", "slice", "split", "sum", "zip",
];

/// Tests, without `divisibleby`, which is our own: the engine's divides by zero.
pub(crate) fn tests() -> Vec<Callable> {
    use Cost as C;
    let mut list = vec![
        (
            "boolean",
            C::Shallow,
            Value::from_function(tests::is_boolean),
        ),
        (
            "defined",
            C::Shallow,
            Value::from_function(tests::is_defined),
        ),
        (
            "endingwith",
            C::Text,
            Value::from_function(tests::is_endingwith),
        ),
        ("escaped", C::Shallow, Value::from_function(tests::is_safe)),
        ("even", C::Shallow, Value::from_function(tests::is_even)),
        ("false", C::Shallow, Value::from_function(tests::is_false)),
        ("filter", C::Text, Value::from_function(tests::is_filter)),
        ("float", C::Shallow, Value::from_function(tests::is_float)),
        ("in", C::Find, Value::from_function(tests::is_in)),
        ("int", C::Shallow, Value::from_function(tests::is_integer)),
        (
            "integer",
            C::Shallow,
            Value::from_function(tests::is_integer),
        ),
        (
            "iterable",
            C::Shallow,
            Value::from_function(tests::is_iterable),
        ),
        ("lower", C::Text, Value::from_function(tests::is_lower)),
        (
            "mapping",
            C::Shallow,
            Value::from_function(tests::is_mapping),
        ),
        ("none", C::Shallow, Value::from_function(tests::is_none)),
        ("number", C::Shallow, Value::from_function(tests::is_number)),
        ("odd", C::Shallow, Value::from_function(tests::is_odd)),
        ("safe", C::Shallow, Value::from_function(tests::is_safe)),
        ("sameas", C::Compare, Value::from_function(tests::is_sameas)),
        (
            "sequence",
            C::Shallow,
            Value::from_function(tests::is_sequence),
        ),
        (
            "startingwith",
            C::Text,
            Value::from_function(tests::is_startingwith),
        ),
        ("string", C::Shallow, Value::from_function(tests::is_string)),
        ("test", C::Text, Value::from_function(tests::is_test)),
        ("true", C::Shallow, Value::from_function(tests::is_true)),
        (
            "undefined",
            C::Shallow,
            Value::from_function(tests::is_undefined),
        ),
        ("upper", C::Text, Value::from_function(tests::is_upper)),
    ];
    for (names, test) in [
        (
            ["eq", "equalto", "=="].as_slice(),
            Value::from_function(tests::is_eq),
        ),
        (&["ne", "!="], Value::from_function(tests::is_ne)),
        (&["lt", "lessthan", "<"], Value::from_function(tests::is_lt)),
        (&["le", "<="], Value::from_function(tests::is_le)),
        (
            &["gt", "greaterthan", ">"],
            Value::from_function(tests::is_gt),
        ),
        (&["ge", ">="], Value::from_function(tests::is_ge)),
    ] {
        list.extend(names.iter().map(|name| (*name, C::Compare, test.clone())));
    }
    list
}

/// Functions, without `namespace`, `raise_exception` and `strftime_now`, which are charged on their
/// own.
pub(crate) fn functions() -> Vec<Callable> {
    vec![
        (
            "dict",
            Cost::EachItem,
            Value::from_function(functions::dict),
        ),
        (
            "range",
            Cost::Shallow,
            Value::from_function(functions::range),
        ),
    ]
}

/// Functions of the engine that are left out: this one shows all that there is.
#[cfg(test)]
pub(crate) const FUNCTIONS_LEFT_OUT: [&str; 1] = ["debug"];

/// Python's methods of texts, lists and maps.
pub(crate) const METHODS: [(&str, Cost); 28] = [
    ("capitalize", Cost::Text),
    ("count", Cost::FindIn),
    ("endswith", Cost::Text),
    ("find", Cost::Text),
    ("get", Cost::FindIn),
    ("isalnum", Cost::Text),
    ("isalpha", Cost::Text),
    ("isascii", Cost::Text),
    ("isdigit", Cost::Text),
    ("islower", Cost::Text),
    ("isnumeric", Cost::Text),
    ("isspace", Cost::Text),
    ("isupper", Cost::Text),
    ("items", Cost::EachItem),
    ("join", Cost::Join(1)),
    ("keys", Cost::EachItem),
    ("lower", Cost::Text),
    ("lstrip", Cost::Trim),
    ("replace", Cost::Replace),
    ("rfind", Cost::Text),
    ("rstrip", Cost::Trim),
    ("split", Cost::Split),
    ("splitlines", Cost::Split),
    ("startswith", Cost::Text),
    ("strip", Cost::Trim),
    ("title", Cost::Text),
    ("upper", Cost::Text),
    ("values", Cost::EachItem),
];

/// What a call of this method costs; `None` if there is no such method here.
pub(crate) fn method_cost(name: &str) -> Option<Cost> {
    let mut every = METHODS.iter();
    every.find(|method| method.0 == name).map(|method| method.1)
}
