//! Budgets are charged for whatever a template can call, counted in work and not in seconds.

use std::time::UNIX_EPOCH;

use super::*;

/// Renders with `s`, a text of 100,000 letters and spaces, `l`, a list of 5,000 texts, `m`, a map,
/// and 8 MiB to make. What came, and the work that it took.
fn run(source: &str) -> (Result<String, String>, u64) {
    let budget = Arc::new(Budget::new(8 << 20, 1 << 26));
    let text = "aB\n \u{e9}".repeat(16_667);
    let list: Vec<String> = (0..5_000).map(|n| format!("Item {n}")).collect();
    let map: BTreeMap<String, String> = list.iter().map(|s| (s.clone(), s.clone())).collect();
    let variables = Value::from_pairs([
        ("s", Value::from(text)),
        ("l", Value::from(list)),
        ("m", Value::from(map)),
    ]);
    let result = render_within(source, variables, &budget, 1 << 20, UNIX_EPOCH);
    let result = result.map_err(|error| compile::explain(&error).1);
    (result, (1 << 26) - budget.work_left())
}

#[test]
fn arguments_by_keyword_are_charged_as_those_by_position_are() {
    for (by_position, by_keyword) in [
        ("{{ s|indent(width) }}", "{{ s|indent(width=width) }}"),
        (
            "{{ 'a'|indent(width, true) }}",
            "{{ 'a'|indent(first=true, width=width) }}",
        ),
        (
            "{{ s|indent(9999, false, true) }}",
            "{{ s|indent(blank=true, width=9999) }}",
        ),
        ("{{ l|join(s) }}", "{{ l|join(d=s) }}"),
        ("{{ range(10000)|join(s) }}", "{{ range(10000)|join(d=s) }}"),
        ("{{ s|join(s) }}", "{{ s|join(d=s) }}"),
        (
            "{% filter indent(width) %}{{ s }}{% endfilter %}",
            "{% filter indent(width=width) %}{{ s }}{% endfilter %}",
        ),
        (
            "{% set x | indent(width) %}{{ s }}{% endset %}",
            "{% set x | indent(width=width) %}{{ s }}{% endset %}",
        ),
        (
            "{% set a = [width] %}{{ s|indent(*a) }}",
            "{% set a = {'width': width} %}{{ s|indent(**a) }}",
        ),
    ] {
        for width in [
            "4000000000",
            "1000000000",
            "18446744073709551615",
            "9223372036854775807",
        ] {
            for source in [by_position, by_keyword] {
                let source = format!("{{% set width = {width} %}}{source}");
                let error = run(&source).0.expect_err(&source);
                assert!(error.contains("gollm stopped it"), "{source}: {error}");
            }
        }
    }
    // And where they ask for little they do the same.
    for (by_position, by_keyword) in [
        ("{{ 'a\nb'|indent(2) }}", "{{ 'a\nb'|indent(width=2) }}"),
        ("{{ [1, 2]|join('-') }}", "{{ [1, 2]|join(d='-') }}"),
    ] {
        assert_eq!(run(by_position).0.unwrap(), run(by_keyword).0.unwrap());
    }
}

#[test]
fn values_that_become_texts_first_are_charged_as_texts() {
    for source in [
        "{{ [s]|replace('a', s) }}",
        "{{ (s ~ 1)|replace(1, l) }}{{ s|replace('a', l) }}",
        "{{ [s, s]|indent(100000000) }}",
        "{{ [l]|map('join', s)|list }}",
        "{{ [s]|map('indent', 4000000000)|list }}",
        "{{ l|join('', attribute='x')|indent(width=4000000000) }}",
        "{{ l|join([s, s]) }}",
        "{{ s.join(l) }}",
        "{{ s.replace('a', s) }}",
    ] {
        let error = run(source).0.expect_err(source);
        assert!(error.contains("gollm stopped it"), "{source}: {error}");
    }
}

#[test]
fn calls_are_charged_for_what_they_read() {
    let arguments = [
        "",
        "('a')",
        "('a', 'b')",
        "('upper')",
        "(attribute='x')",
        "('x', 'in', l)",
    ];
    // These want numbers, or a key.
    let for_others = ["abs", "attr", "float", "int", "round"];
    for (name, cost, _) in callables::filters() {
        let applied = arguments.iter().flat_map(|arguments| {
            ["s", "l", "m"].map(|value| format!("{{% set x = {value}|{name}{arguments} %}}"))
        });
        let runs: Vec<_> = applied.map(|source| run(&source)).collect();
        assert!(
            runs.iter().any(|run| run.0.is_ok()) || for_others.contains(&name),
            "{name}"
        );
        let most = runs.iter().map(|run| run.1).max().unwrap();
        assert!(most >= 100_000, "{name}: {most} for {cost:?}");
    }
    for (name, _) in callables::METHODS {
        let applied = arguments
            .iter()
            .chain(&["(l)", "(s)"])
            .flat_map(|arguments| {
                let arguments = if arguments.is_empty() {
                    "()"
                } else {
                    arguments
                };
                ["s", "l", "m"].map(|value| format!("{{% set x = {value}.{name}{arguments} %}}"))
            });
        let runs: Vec<_> = applied.map(|source| run(&source)).collect();
        assert!(runs.iter().any(|run| run.0.is_ok()), "{name}");
        let most = runs.iter().map(|run| run.1).max().unwrap();
        assert!(most >= 100_000, "{name}: {most}");
    }
}

#[test]
fn operators_are_charged_for_what_they_read() {
    for source in [
        "{{ 'x' in s }}",
        "{{ 'x' not in s }}",
        "{{ 'x' in l }}",
        "{{ s == s }}",
        "{{ s < s }}",
        "{{ s <= s <= s }}",
        "{{ 'x' in s in [true] }}",
        "{{ l == l }}",
        "{{ s[3] }}",
        "{{ s[-3] }}",
        "{{ s[5:6] }}",
        "{{ s[::-7000] }}",
        "{{ l[1:2] }}",
        "{{ dict(*l) }}",
        "{{ s is eq(s) }}",
        "{{ s is in(l) }}",
        "{{ s is upper }}",
        "{% for c in s %}{% break %}{% endfor %}",
        "{% for c in [1] recursive %}{% if loop.depth == 1 %}{{ loop(s) }}{% else %}{% break %}{% endif %}{% endfor %}",
        "{% for c in [1, 2] %}{{ loop.changed(s) }}{% endfor %}",
        "{{ strftime_now(s.replace('\n', '')) }}",
    ] {
        let (result, work) = run(source);
        let expected = if source.contains('l') && !source.contains('s') {
            5_000 * 24
        } else {
            90_000
        };
        assert!(work >= expected, "{source}: {work}, {result:?}");
    }
}

#[test]
fn work_runs_out_and_not_only_time() {
    for call in [
        "s|lines|length",
        "l|max",
        "l|sort|first",
        "strftime_now(s)",
        "'x' in s or 'y' in s",
    ] {
        let source = format!("{{% for i in range(90000) %}}{{% set x = {call} %}}{{% endfor %}}");
        let budget = Arc::new(Budget::new(usize::MAX / 2, WORK));
        let list: Vec<usize> = (0..90_000).collect();
        let variables = Value::from_pairs([
            ("s", Value::from("\n".repeat(100_000))),
            ("l", Value::from(list)),
        ]);
        let result = render_within(&source, variables, &budget, FUEL, UNIX_EPOCH);
        let problem = compile::explain(&result.unwrap_err()).1;
        assert!(problem.contains("gollm stopped it"), "{call}: {problem}");
    }
}

#[test]
fn arithmetic_that_has_no_answer_is_no_panic() {
    for source in [
        "{{ ''[::-1] }}",
        "{{ [][::-1] }}",
        "{{ ()[::-1] }}",
        "{{ 'abc'[0:5:-1] }}",
        "{{ [1, 2][0:9:-1] }}",
        "{{ 'abc'[::-9223372036854775807 - 1] }}",
        "{{ 'abc'[-9223372036854775807 - 1:] }}",
        "{{ 7 is divisibleby(0) }}",
        "{{ 7.5 is divisibleby(0) }}",
        "{{ [7]|select('divisibleby', 0)|list }}",
    ] {
        assert!(run(source).0.is_ok(), "{source}");
    }
    for source in [
        "{% for a in [1] %}{{ loop.cycle() }}{% endfor %}",
        "{% for a in [1] %}{{ loop.cycle(*[]) }}{% endfor %}",
        "{{ x.cycle }}{% for a in [1] %}{% set c = loop %}{{ c.cycle() }}{% endfor %}",
    ] {
        assert!(run(source).0.is_err(), "{source}");
    }
    assert_eq!(
        run("{{ 'abc'[::-1] }}{{ 'abcdef'[4:1:-2] }}{{ 6 is divisibleby(3) }}")
            .0
            .unwrap(),
        "cbaecTrue"
    );
}

#[test]
fn lazy_values_that_lie_in_each_other_do_not_fill_the_stack() {
    let source = "{% set ns = namespace(a=[1, 2]) %}{% for i in range(9999) %}\
        {% set ns.a = ns.a[0:] %}{% endfor %}{{ ns.a }}";
    assert_eq!(run(source).0.unwrap(), "[1, 2]");
}
