//! CUDA on the command line, in builds with the feature and without.

use crate::support::{run, run_with};

#[test]
fn the_preferred_gpu_is_a_flag_and_a_variable_and_means_nothing_to_the_cpu() {
    let on_cpu = ["generate", "--device", "cpu", "-n", "1", "Once"];
    for gpu in ["m40", "newest"] {
        let flag = run(&[&on_cpu[..], &["--prefer", gpu]].concat());
        let variable = run_with(&on_cpu, b"", &[("GOLLM_PREFER", gpu)]);
        for ran in [flag, variable] {
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        }
    }
    let wrong = run(&[&on_cpu[..], &["--prefer", "m41"]].concat());
    let variable = run_with(&on_cpu, b"", &[("GOLLM_PREFER", "m41")]);
    for refused in [wrong, variable] {
        assert_eq!(refused.code, Some(2));
        for part in ["m41", "--prefer", "newest, m40"] {
            assert!(refused.stderr.contains(part), "{}", refused.stderr);
        }
    }
}

#[cfg(not(feature = "cuda"))]
mod without {
    use crate::support::{done, run};

    #[test]
    fn a_build_without_it_says_how_to_get_one_with_it() {
        for name in ["cuda", "cuda:3"] {
            let refused = run(&["generate", "--device", name, "Once"]);
            assert_eq!(refused.code, Some(1));
            let not_here = format!("device `{name}` is not in this build");
            for part in [&not_here, "--features cuda", "cpu, reference"] {
                assert!(refused.stderr.contains(part), "{}", refused.stderr);
            }
        }
        let text = done(&["devices"]).text();
        assert!(text.contains("no cuda\tnot in this build"), "{text}");
    }
}

#[cfg(feature = "cuda")]
mod with {
    use crate::support::{Files, Ran, run_with};

    /// Runs `gollm`, which looks for CUDA's libraries where these tests were told to.
    fn run(args: &[&str]) -> Ran {
        let folders = std::env::var("GOLLM_CUDA_LIB").unwrap_or_default();
        run_with(args, b"", &[("GOLLM_CUDA_LIB", &folders)])
    }

    /// Whether there is a GPU. Where there is none, `GOLLM_REQUIRE_CUDA=1` makes that a failure.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn has_gpu() -> bool {
        let devices = run(&["devices"]).text();
        let found = devices.starts_with("cuda:");
        let required = std::env::var("GOLLM_REQUIRE_CUDA").is_ok_and(|value| value == "1");
        assert!(found || !required, "GOLLM_REQUIRE_CUDA=1: {devices}");
        if !found {
            eprintln!("skipped: no CUDA device");
        }
        found
    }

    #[test]
    fn the_same_greedy_story_as_on_the_reference() {
        if !has_gpu() {
            return;
        }
        let greedy = ["generate", "--temp", "0", "-n", "60", "Once upon a time"];
        let on = |device| {
            let ran = run(&[&greedy[..], &["--device", device]].concat());
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            ran
        };
        let found = on("cuda");
        assert_eq!(found.text(), on("reference").text());
        assert!(found.stderr.contains("device cuda:"), "{}", found.stderr);
    }

    #[test]
    fn without_a_driver_the_error_names_what_was_looked_for_and_auto_goes_on() {
        if has_gpu() {
            return;
        }
        let files = Files::new();
        files.write("libcuda.so.1", "not a library");
        let folder = files.path("");
        let env = [("GOLLM_CUDA_LIB", folder.as_str())];
        let once = ["generate", "-n", "1", "Once"];
        for name in ["cuda", "cuda:1"] {
            let refused = run_with(&[&once[..], &["--device", name]].concat(), b"", &env);
            assert_eq!(refused.code, Some(1));
            for part in ["found no NVIDIA driver", &folder, "GOLLM_CUDA_LIB"] {
                assert!(refused.stderr.contains(part), "{}", refused.stderr);
            }
        }
        let devices = run_with(&["devices"], b"", &env).text();
        assert!(devices.contains("no cuda\t"), "{devices}");
        let auto = run_with(&once, b"", &env);
        assert_eq!(auto.code, Some(0), "{}", auto.stderr);
    }
}
