//! GPUs on the command line, in builds with the feature and without.

#[cfg(not(feature = "wgpu"))]
mod without {
    use crate::support::{done, run};

    #[test]
    fn a_build_without_it_says_how_to_get_one_with_it() {
        for name in ["wgpu", "wgpu:0", "wgpu:software"] {
            let refused = run(&["generate", "--device", name, "Once"]);
            assert_eq!(refused.code, Some(1));
            for part in [
                "is not in this build",
                name,
                "--features wgpu",
                "cpu, reference",
            ] {
                assert!(
                    refused.stderr.contains(part),
                    "`{part}` in {}",
                    refused.stderr
                );
            }
        }
        assert!(
            done(&["devices"])
                .text()
                .contains("no wgpu\tnot in this build")
        );
    }
}

#[cfg(feature = "wgpu")]
mod with {
    use crate::support::{Ran, done, run, run_with};

    /// The adapter that the tests run on: a software one if there is one, and else the best GPU.
    ///
    /// Where there is none they are skipped and say so, unless `GOLLM_REQUIRE_WGPU=1` makes that a
    /// failure: `make test` sets it.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn adapter() -> Option<&'static str> {
        let args = |name| ["generate", "-n", "1", "--device", name, "Once"];
        let names = ["wgpu:software", "wgpu"];
        let found = names
            .into_iter()
            .find(|name| run(&args(name)).code == Some(0));
        if found.is_none() {
            let required = std::env::var("GOLLM_REQUIRE_WGPU").is_ok_and(|value| value == "1");
            assert!(
                !required,
                "GOLLM_REQUIRE_WGPU=1: {}",
                run(&args("wgpu:software")).stderr
            );
            eprintln!("skipped: no wgpu adapter");
        }
        found
    }

    /// Runs `gollm` on that adapter.
    fn on_adapter(args: &[&str]) -> Option<Ran> {
        Some(done(&[args, &["--device", adapter()?]].concat()))
    }

    /// 60 tokens: a greedy choice changes only where two logits are closer than what the order of a sum
    /// changes, which is a millionth of them.
    #[test]
    fn the_same_greedy_story_as_on_the_reference() {
        let greedy = ["generate", "--temp", "0", "-n", "60", "Once upon a time"];
        let Some(found) = on_adapter(&greedy) else {
            return;
        };
        let expected = done(&[&greedy[..], &["--device", "reference"]].concat()).text();
        assert_eq!(found.text(), expected);
        assert!(found.stderr.contains("device wgpu:"), "{}", found.stderr);
    }

    #[test]
    fn half_caches_and_threads_are_told_apart() {
        let args = [
            "generate",
            "-n",
            "2",
            "--cache-type",
            "f16",
            "-t",
            "4",
            "Once",
        ];
        let Some(ran) = on_adapter(&args) else {
            return;
        };
        assert!(ran.stderr.contains("f16 cache"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("--threads 4 changes nothing"),
            "{}",
            ran.stderr
        );
    }

    #[test]
    fn bench_measures_it() {
        let args = ["bench", "-p", "8", "-n", "2", "-r", "1", "-o", "json"];
        let Some(ran) = on_adapter(&args) else {
            return;
        };
        let rows = ran.json();
        assert_eq!(rows.as_array().unwrap().len(), 2);
        assert!(rows[0]["device"].as_str().unwrap().starts_with("wgpu"));
        for figure in [
            "avg_ts",
            "bandwidth_gb_s",
            "peak_gflop_s",
            "roofline_fraction",
        ] {
            assert!(rows[0][figure].as_f64().unwrap() > 0.0, "{figure}: {rows}");
        }
    }

    /// A software adapter is never what the list begins with, since `auto` never takes it.
    #[test]
    fn devices_lists_adapters_with_their_limits() {
        if adapter().is_none() {
            return;
        }
        let json = done(&["devices", "--json"]).json();
        let devices = json["devices"].as_array().unwrap();
        let cpu = devices
            .iter()
            .position(|device| device["name"] == "cpu")
            .unwrap();
        let mut n_adapters = 0;
        for (place, device) in devices.iter().enumerate() {
            if device["name"].as_str().unwrap().starts_with("wgpu:") {
                let facts = &device["facts"];
                assert!(facts["max_binding_bytes"].as_u64().unwrap() > 0, "{device}");
                assert_eq!(facts["software"] == true, place > cpu, "{device}");
                n_adapters += 1;
            }
        }
        assert!(n_adapters > 0, "{json}");
    }

    #[test]
    fn an_adapter_that_is_not_there_is_an_error_that_lists_the_others() {
        for name in ["wgpu:99", "wgpu:no such card"] {
            let refused = run(&["generate", "--device", name, "Once"]);
            assert_eq!(refused.code, Some(1));
            assert!(refused.stderr.contains("was found"), "{}", refused.stderr);
        }
    }

    /// No driver at all, as on a machine without Vulkan: an error that says so, and `auto` takes the CPU.
    #[test]
    fn without_a_driver_there_is_an_error_and_auto_takes_the_cpu() {
        let nothing = [
            ("VK_ICD_FILENAMES", "/nonexistent.json"),
            ("VK_DRIVER_FILES", "/nonexistent.json"),
            ("WGPU_BACKEND", "vulkan"),
        ];
        let refused = run_with(&["generate", "--device", "wgpu", "Once"], b"", &nothing);
        assert_eq!(refused.code, Some(1), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("no GPU was found"),
            "{}",
            refused.stderr
        );
        let taken = run_with(&["generate", "-n", "1", "Once"], b"", &nothing);
        assert_eq!(taken.code, Some(0), "{}", taken.stderr);
        assert!(taken.stderr.contains("device cpu: "), "{}", taken.stderr);
        let listed = run_with(&["devices"], b"", &nothing).text();
        assert!(listed.contains("no wgpu\t"), "{listed}");
    }
}
