//! The environment of a rendering: what a template may call. It begins empty, so that nothing is
//! there by accident: no files, no other templates, no variables of the process.

use std::sync::Arc;
use std::time::SystemTime;

use minijinja::value::{Kwargs, Rest, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value, functions};
use minijinja_contrib::pycompat;

use super::budget::{Budget, refused};
use super::call_cost::Cost;
use super::python_text::text_of;
use super::{callables, compile, dates, json_text, operand_cost, operators};

/// How deep macros and loops may call themselves.
const MAX_RECURSION: usize = 100;

/// An environment for one rendering.
pub(crate) fn environment(
    budget: &Arc<Budget>,
    fuel: u64,
    now: SystemTime,
) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::empty();
    environment.set_syntax(compile::syntax()?);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(fuel));
    environment.set_recursion_limit(MAX_RECURSION);
    add_filters(&mut environment, budget);
    add_tests(&mut environment, budget);
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

type Arguments = Rest<ValueOrKwargs>;

/// A function that is charged for what it reads before it runs, and for what it made afterwards.
fn charged(
    budget: &Arc<Budget>,
    cost: Cost,
    function: Value,
) -> impl Fn(&mut State<'_, '_>, Arguments) -> Result<Value, Error> + use<> {
    let budget = Arc::clone(budget);
    move |state, arguments| {
        let arguments = arguments.into_values();
        cost.charge(&budget, &arguments)?;
        let result = function.call(state, &arguments)?;
        budget.keep(result)
    }
}

fn add_filters(environment: &mut Environment<'_>, budget: &Arc<Budget>) {
    for (name, cost, filter) in callables::filters() {
        let charged = charged(budget, cost, filter);
        environment.add_filter(
            name,
            move |state: &mut State<'_, '_>, arguments: Arguments| charged(state, arguments),
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

fn add_tests(environment: &mut Environment<'_>, budget: &Arc<Budget>) {
    for (name, cost, test) in callables::tests() {
        let charged = charged(budget, cost, test);
        environment.add_test(
            name,
            move |state: &mut State<'_, '_>, arguments: Arguments| charged(state, arguments),
        );
    }
    environment.add_test("divisibleby", |left: Value, right: Value| {
        operators::is_divisible(&left, &right)
    });
}

fn add_functions(environment: &mut Environment<'_>, budget: &Arc<Budget>, now: SystemTime) {
    for (name, cost, function) in callables::functions() {
        let charged = charged(budget, cost, function);
        environment.add_function(
            name,
            move |state: &mut State<'_, '_>, arguments: Arguments| charged(state, arguments),
        );
    }
    let message = Arc::clone(budget);
    environment.add_function("raise_exception", move |value: Value| {
        Err::<Value, Error>(refused(text_of(&message, &value)?))
    });
    let date = Arc::clone(budget);
    environment.add_function("strftime_now", move |format: Value| {
        dates::strftime(&date, &text_of(&date, &format)?, now)
    });
    let (budget, namespace) = (
        Arc::clone(budget),
        Value::from_function(functions::namespace),
    );
    environment.add_function(
        "namespace",
        move |state: &mut State<'_, '_>, arguments: Arguments| {
            let arguments = arguments.into_values();
            for argument in &arguments {
                budget.take_for_namespace(argument)?;
            }
            namespace.call(state, &arguments)
        },
    );
}

/// The functions that `compile.rs` puts in the place of instructions, or before them.
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
    type Check = fn(&Budget, Value) -> Result<Value, Error>;
    let checks: [(&str, Check); 10] = [
        (compile::CHECKED, Budget::keep),
        (compile::FOR_NAMESPACE, operand_cost::for_namespace),
        (compile::ITERATED, operand_cost::iterated),
        (compile::COMPARED, operand_cost::compared),
        (compile::SEARCHED, operand_cost::searched),
        (compile::CHAINED, operand_cost::chained),
        (compile::INDEXED, operand_cost::indexed),
        (compile::SLICED, operand_cost::sliced),
        (compile::UNPACKED, operand_cost::unpacked),
        (compile::GIVEN, operand_cost::given),
    ];
    for (name, check) in checks {
        let budget = Arc::clone(budget);
        environment.add_function(name, move |value: Value| check(&budget, value));
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
    let unknown = || Error::from(ErrorKind::UnknownMethod);
    let cost = callables::method_cost(method).ok_or_else(unknown)?;
    let all: Vec<Value> = std::iter::once(value).chain(arguments).cloned().collect();
    cost.charge(budget, &all)?;
    let result = pycompat::unknown_method_callback(state, value, method, arguments)?;
    budget.keep(result)
}
