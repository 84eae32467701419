//! What a template may call. A list, so that nothing is there by accident: no files, no other
//! templates, no variables of the process.

use std::sync::Arc;
use std::time::SystemTime;

use minijinja::value::{Kwargs, Rest, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters, functions};
use minijinja_contrib::pycompat;

use super::budget::{Budget, refused};
use super::python_text::text_of;
use super::{compile, dates, json_text, operators};

/// How deep macros and loops may call themselves.
const MAX_RECURSION: usize = 100;

/// An environment for one rendering.
pub(crate) fn environment(
    budget: &Arc<Budget>,
    fuel: u64,
    now: SystemTime,
) -> Result<Environment<'static>, Error> {
    // With the engine's tests (`is defined`), which make nothing, and without what is removed below.
    let mut environment = Environment::new();
    environment.set_syntax(compile::syntax()?);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(fuel));
    environment.set_recursion_limit(MAX_RECURSION);
    add_filters(&mut environment, budget);
    add_functions(&mut environment, budget, now);
    add_operators(&mut environment, budget);
    let methods = Arc::clone(budget);
    environment.set_unknown_method_callback(move |state, value, method, arguments| {
        call_method(&methods, state, value, method, arguments)
    });
    let printed = Arc::clone(budget);
    environment.set_formatter(move |out, _, value| {
        let text = text_of(&printed, value)?;
        out.write_str(&text)
            .map_err(|_| refused("its text could not be kept"))
    });
    Ok(environment)
}

/// Filters of the engine that are left out: they make much of little, and no published chat
/// template was seen to use them.
const REMOVED: [&str; 9] = [
    "batch", "chain", "format", "groupby", "pprint", "slice", "split", "sum", "zip",
];

fn add_filters(environment: &mut Environment<'_>, budget: &Arc<Budget>) {
    let counted = [
        ("capitalize", Value::from_function(filters::capitalize)),
        ("dictsort", Value::from_function(filters::dictsort)),
        ("e", Value::from_function(filters::escape)),
        ("escape", Value::from_function(filters::escape)),
        ("indent", Value::from_function(filters::indent)),
        ("items", Value::from_function(filters::items)),
        ("join", Value::from_function(filters::join)),
        ("list", Value::from_function(filters::list)),
        ("lower", Value::from_function(filters::lower)),
        ("map", Value::from_function(filters::map)),
        ("reject", Value::from_function(filters::reject)),
        ("rejectattr", Value::from_function(filters::rejectattr)),
        ("replace", Value::from_function(filters::replace)),
        ("reverse", Value::from_function(filters::reverse)),
        ("select", Value::from_function(filters::select)),
        ("selectattr", Value::from_function(filters::selectattr)),
        ("sort", Value::from_function(filters::sort)),
        ("title", Value::from_function(filters::title)),
        ("trim", Value::from_function(filters::trim)),
        ("unique", Value::from_function(filters::unique)),
        ("upper", Value::from_function(filters::upper)),
    ];
    for name in REMOVED {
        environment.remove_filter(name);
    }
    for (name, filter) in counted {
        let budget = Arc::clone(budget);
        environment.add_filter(
            name,
            move |state: &mut State<'_, '_>, arguments: Rest<ValueOrKwargs>| {
                let arguments = arguments.into_values();
                take_before(&budget, name, &arguments)?;
                let result = filter.call(state, &arguments)?;
                budget.take_value(&result)?;
                Ok::<_, Error>(result)
            },
        );
    }
    let string = Arc::clone(budget);
    environment.add_filter("string", move |value: Value| text_of(&string, &value));
    let json = Arc::clone(budget);
    environment.add_filter(
        "tojson",
        move |value: Value, indent: Option<Value>, options: Kwargs| {
            json_text::tojson(&json, &value, indent, &options)
        },
    );
}

fn add_functions(environment: &mut Environment<'_>, budget: &Arc<Budget>, now: SystemTime) {
    environment.remove_global("debug");
    environment.add_function("raise_exception", |message: String| {
        Err::<Value, Error>(refused(message))
    });
    environment.add_function("strftime_now", move |format: String| {
        dates::strftime(&format, now)
    });
    let counted = [
        ("dict", Value::from_function(functions::dict)),
        ("range", Value::from_function(functions::range)),
    ];
    for (name, function) in counted {
        let budget = Arc::clone(budget);
        let counted = move |state: &mut State<'_, '_>, arguments: Rest<ValueOrKwargs>| {
            let result = function.call(state, &arguments.into_values())?;
            budget.take_value(&result)?;
            Ok::<_, Error>(result)
        };
        environment.add_function(name, counted);
    }
    let (budget, namespace) = (
        Arc::clone(budget),
        Value::from_function(functions::namespace),
    );
    environment.add_function(
        "namespace",
        move |state: &mut State<'_, '_>, arguments: Rest<ValueOrKwargs>| {
            let arguments = arguments.into_values();
            for argument in &arguments {
                budget.take_for_namespace(argument)?;
            }
            namespace.call(state, &arguments)
        },
    );
}

/// The functions that `compile.rs` puts in the place of instructions.
fn add_operators(environment: &mut Environment<'_>, budget: &Arc<Budget>) {
    type Operator = fn(&Budget, &Value, &Value) -> Result<Value, Error>;
    let operators: [(&str, Operator); 3] = [
        (compile::ADD, operators::add),
        (compile::MULTIPLY, operators::multiply),
        (compile::CONCATENATE, operators::concatenate),
    ];
    for (name, operator) in operators {
        let budget = Arc::clone(budget);
        environment.add_function(name, move |left: Value, right: Value| {
            operator(&budget, &left, &right)
        });
    }
    type Check = fn(&Budget, &Value) -> Result<(), Error>;
    let checks: [(&str, Check); 2] = [
        (compile::CHECKED, Budget::take_value),
        (compile::FOR_NAMESPACE, Budget::take_for_namespace),
    ];
    for (name, check) in checks {
        let budget = Arc::clone(budget);
        environment.add_function(name, move |value: Value| {
            check(&budget, &value)?;
            Ok::<_, Error>(value)
        });
    }
}

/// Python's methods of texts, lists and maps: `.strip()`, `.split()`, `.items()` and so on.
fn call_method(
    budget: &Budget,
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    // It fills in widths that a template chooses.
    if method == "format" {
        return Err(Error::from(ErrorKind::UnknownMethod));
    }
    let all: Vec<Value> = std::iter::once(value).chain(arguments).cloned().collect();
    take_before(budget, method, &all)?;
    let result = pycompat::unknown_method_callback(state, value, method, arguments)?;
    budget.take_value(&result)?;
    Ok(result)
}

/// Counts what a filter or method is about to make of `arguments`, where that can be much more than
/// what it is given.
fn take_before(budget: &Budget, name: &str, arguments: &[Value]) -> Result<(), Error> {
    let text = |index: usize| arguments.get(index).and_then(Value::as_str);
    match name {
        "replace" => {
            let (Some(from), Some(to)) = (text(1), text(2)) else {
                return Ok(());
            };
            let n_found = text(0).unwrap_or_default().matches(from).count();
            budget.take(n_found.saturating_mul(to.len()))
        }
        // The filter's list comes first, the method's separator does.
        "join" => {
            let length = |value: Option<&Value>| value.map_or(0, |value| value.len().unwrap_or(0));
            let n_items = length(arguments.first()).max(length(arguments.get(1)));
            let separator = text(0).map_or(0, str::len).max(text(1).map_or(0, str::len));
            budget.take(n_items.saturating_mul(separator))
        }
        "indent" => {
            let width = arguments.get(1).and_then(Value::as_usize).unwrap_or(4);
            let n_lines = text(0).unwrap_or_default().split('\n').count();
            budget.take(n_lines.saturating_mul(width))
        }
        // Each piece is a value of its own.
        "split" | "splitlines" | "list" => {
            budget.take(text(0).map_or(0, str::len).saturating_mul(24))
        }
        _ => Ok(()),
    }
}
