//! Templates that want more than a text. Whatever they try ends in text or in an error, soon.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant, UNIX_EPOCH};

use gollm_chat::{ChatTemplate, Error, MAX_TEMPLATE_BYTES, Message, Role, TemplateOptions};

/// What a template makes of "Hello", and how long it took.
fn run(source: &str) -> (Result<String, String>, Duration) {
    let started = Instant::now();
    let messages = [Message::new(Role::User, "Hello")];
    let options = TemplateOptions {
        bos_token: "<s>".to_owned(),
        eos_token: "</s>".to_owned(),
        add_generation_prompt: true,
        enable_thinking: None,
        now: UNIX_EPOCH,
    };
    let result = ChatTemplate::new(source)
        .and_then(|template| template.render(&messages, &options))
        .map_err(|error: Error| error.to_string());
    (result, started.elapsed())
}

fn error_of(source: &str) -> String {
    run(source).0.expect_err(source)
}

#[test]
fn loops_that_would_not_end_soon_are_errors_within_100_milliseconds() {
    for source in [
        "{% for a in range(10**9) %}{% for b in range(10**9) %}x{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for a in [1] recursive %}{{ loop([1, 1]) }}{{ loop([1, 1]) }}{% endfor %}",
    ] {
        // The best of several: a machine that does other work may keep any one of them waiting.
        let fastest = (0..5).map(|_| run(source)).min_by_key(|(_, time)| *time);
        let (result, time) = fastest.expect("five runs");
        let error = result.expect_err(source);
        let stopped = ["gollm stopped it", "range has too many", "recursion limit"];
        assert!(
            stopped.iter().any(|part| error.contains(part)),
            "{source}: {error}"
        );
        // The engine is optimised in tests too.
        assert!(time < Duration::from_millis(100), "{source}: {time:?}");
    }
}

#[test]
fn texts_and_lists_that_grow_without_end_are_errors() {
    for source in [
        "{% set ns = namespace(a='xxxxxxxx') %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
        "{% set ns = namespace(a='xxxxxxxx') %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
        "{% set ns = namespace(a='xxxxxxxx') %}{% for i in range(60) %}{% set ns.a %}{{ ns.a }}{{ ns.a }}{% endset %}{% endfor %}",
        "{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
        "{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}",
        "{% set ns = namespace(a='xxxxxxxx') %}{% for i in range(60) %}{% set ns.a = ns.a | replace('x', 'xx') %}{% endfor %}",
        "{% set ns = namespace(a='xxxxxxxx') %}{% for i in range(60) %}{% set ns.a = ns.a.replace('x', 'xx') %}{% endfor %}",
        "{% set ns = namespace(a='xxxxxxxx') %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] | join(ns.a) %}{% endfor %}",
        "{% set ns = namespace(a='xxxxxxxx') %}{% for i in range(60) %}{% set ns.a = ns.a.join([ns.a, ns.a]) %}{% endfor %}",
        "{% set ns = namespace(a='xxxxxxxx') %}{% for i in range(60) %}{% set ns.a = (ns.a, ns.a) | tojson %}{% endfor %}",
        "{% set a = 'x' %}{% set n = 99999999 %}{{ a * n }}",
        "{% set a = [1] %}{% set n = 99999999 %}{{ a * n }}",
        "{% set n = 999999999 %}{{ 'a\nb' | indent(n) }}",
        "{{ 'a\nb' | indent(width=18446744073709551615) }}",
        "{{ 'a\nb' | indent(width=4000000000) }}",
        "{% filter indent(width=1000000000) %}a\nb\n{% endfilter %}",
        "{% set n = 1000000 %}{% set a = 'a' %}{% set s = a * n %}{{ range(10000)|join(d=s) }}",
        "{% set n = 2900000 %}{% set a = '\n' %}{% set s = a * n %}{% for i in range(4000) %}{{ s|lines|length }}{% endfor %}",
        "{% set l = range(90000)|list %}{% for i in range(4000) %}{{ l|max }}{% endfor %}",
        "{% set n = 2600000 %}{% set a = 'a' %}{% set s = a * n %}{% for i in range(100) %}{% set x = strftime_now(s) %}{% endfor %}",
        "{% set n = 2900000 %}{% set a = 'a' %}{% set s = a * n %}{% for i in range(9000) %}{% set x = 'b' in s or 'c' in s %}{% endfor %}",
        "{% macro m(a) %}{{ m(a ~ a) }}{% endmacro %}{{ m('xxxxxxxx') }}",
        "{% macro m(a) %}{{ a }}{{ a }}{% endmacro %}{% set ns = namespace(a='xx') %}{% for i in range(60) %}{% set ns.a = m(ns.a) %}{% endfor %}",
        "{% for i in range(99999) %}{% set a %}{% for j in range(9999) %}0123456789{% endfor %}{% endset %}{% endfor %}",
        "{% set ns = namespace(a='xxxxxxxx') %}{% for i in range(60) %}{% filter upper %}{% set ns.a = ns.a ~ ns.a %}{{ ns.a }}{% endfilter %}{% endfor %}",
    ] {
        let (result, time) = run(source);
        let error = result.expect_err(source);
        let stopped = ["gollm stopped it", "nests lists", "recursion limit"];
        assert!(
            stopped.iter().any(|part| error.contains(part)),
            "{source}: {error}"
        );
        // Far above what it takes: what must not happen is that it does not end.
        assert!(time < Duration::from_secs(20), "{source}: {time:?}");
    }
}

#[test]
fn constants_are_not_repeated_while_the_template_is_read() {
    for source in [
        "{{ 'a' * 99999999 }}",
        "{{ 'a' * 1000 * 1000 }}",
        "{{ 99999999 * 'a' }}",
        "{{ ('a' * 255) * 255 }}",
        "{{ [1] * 99999999 }}",
        "{{ ('a') * 99999999 }}",
        "{% set x = ('a' ~ 'b') * 10 ** 8 %}",
    ] {
        let error = ChatTemplate::new(source).expect_err(source).to_string();
        assert!(error.contains("repeats a constant"), "{error}");
    }
    assert_eq!(run("{{ 2 * 3 }}{{ '=' * 5 }}").0.unwrap(), "6=====");
}

#[test]
fn values_that_hold_themselves_cannot_be_made() {
    for source in [
        "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}",
        "{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns }}",
        "{% set ns = namespace() %}{% set ns.a = {'b': [ns]} %}{{ ns }}",
        "{% set ns = namespace() %}{% set other = namespace(a=ns) %}{{ other }}",
        "{% set ns = namespace(a=[]) %}{% for i in range(50) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a }}",
    ] {
        let error = error_of(source);
        assert!(
            error.contains("it puts a ") || error.contains("deeply"),
            "{error}"
        );
    }
}

#[test]
fn deep_nesting_is_an_error_and_not_a_full_stack() {
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{1:", "1", "}"),
        ("-", "1", ""),
        ("not ", "1", ""),
    ] {
        let source = format!(
            "{{{{ {}{middle}{} }}}}",
            open.repeat(20_000),
            close.repeat(20_000)
        );
        error_of(&source);
    }
    for (open, close) in [
        ("{% if 1 %}", "{% endif %}"),
        ("{% for a in [1] %}", "{% endfor %}"),
    ] {
        let source = format!("{}{}", open.repeat(3_000), close.repeat(3_000));
        error_of(&source);
    }
}

#[test]
fn what_opens_files_or_python_objects_elsewhere_finds_nothing_here() {
    for source in [
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% from 'os' import system %}",
        "{% extends 'base' %}",
        "{% block a %}{% endblock %}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ lipsum.__globals__['os'].popen('id').read() }}",
        "{{ self.__init__.__globals__.__builtins__.open('/etc/passwd').read() }}",
        "{{ messages.__class__.__base__.__subclasses__() }}",
        "{{ joiner.__init__.__globals__ }}",
        "{{ debug() }}",
        "{{ 'a'.format('b') }}",
        "{{ '%999999999d' | format(1) }}",
        "{{ raise_exception('no') }}",
        "{{ raise_exception }}",
        "{{ messages.append(1) }}",
        "{% set messages.x = 1 %}",
        "{{ 1 / 0 }}",
        "{{ nothing.at.all }}",
        "{% unknown %}",
        "{{ 'a' | unknown }}",
        "{{ the sum(1, 2) }}",
        "{{ strftime_now('%Q') }}",
        "{{ [1, 2] | tojson(indent=-1) }}",
        "{% for i in 5 %}{% endfor %}",
        "{{ x",
        "{% if %}",
    ] {
        let error = error_of(source);
        assert!(error.starts_with("chat template"), "{error}");
    }
    // Not found is not defined, and not defined is no text.
    for source in [
        "{{ ''.__class__ }}",
        "{{ config }}",
        "{{ request }}",
        "{{ self }}",
        "{{ messages[7] }}",
    ] {
        assert_eq!(run(source).0.unwrap(), "", "{source}");
    }
    // A message is never a template.
    let messages = [Message::new(Role::User, "{{ 7 * 7 }}{% raw %}")];
    let template = ChatTemplate::new("{{ messages[0].content }}").unwrap();
    let options = TemplateOptions {
        bos_token: String::new(),
        eos_token: String::new(),
        add_generation_prompt: true,
        enable_thinking: None,
        now: UNIX_EPOCH,
    };
    assert_eq!(
        template.render(&messages, &options).unwrap(),
        messages[0].content
    );
}

#[test]
fn a_template_of_any_length_is_read_or_refused_at_once() {
    let long = "x".repeat(MAX_TEMPLATE_BYTES + 1);
    assert!(error_of(&long).contains("131073 bytes, at most 131072"));
    assert_eq!(run(&long[1..]).0.unwrap().len(), MAX_TEMPLATE_BYTES);
    assert_eq!(run("").0.unwrap(), "");
}

#[test]
fn errors_say_the_line() {
    assert!(error_of("a\nb\n{{ 1 / nothing }}").starts_with("chat template, line 3: "));
    assert!(error_of("a\n{% if %}").starts_with("chat template, line 2: "));
}

#[test]
fn a_long_conversation_is_no_hostile_one() {
    let text = "words and more words ".repeat(50);
    let messages: Vec<Message> = (0..1000)
        .map(|n| {
            Message::new(
                if n % 2 == 0 {
                    Role::User
                } else {
                    Role::Assistant
                },
                text.as_str(),
            )
        })
        .collect();
    let source = include_str!("templates/thinking.jinja");
    let template = ChatTemplate::new(source).unwrap();
    let options = TemplateOptions {
        bos_token: String::new(),
        eos_token: String::new(),
        add_generation_prompt: true,
        enable_thinking: None,
        now: UNIX_EPOCH,
    };
    let rendered = template.render(&messages, &options).unwrap();
    assert!(rendered.len() > 1000 * text.len());
}
