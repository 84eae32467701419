//! NVIDIA GPUs on the command line, in builds with the feature and without, where there is none.

use crate::support::{done, run};

#[cfg(not(feature = "cuda"))]
#[test]
fn a_build_without_cuda_says_how_to_get_one_with_it() {
    for name in ["cuda", "cuda:1"] {
        let refused = run(&["generate", "--device", name, "Once"]);
        assert_eq!(refused.code, Some(1));
        for part in [
            "is not in this build",
            name,
            "--features cuda",
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
            .contains("no cuda\tnot in this build")
    );
}

#[cfg(feature = "cuda")]
#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn without_a_gpu_cuda_says_what_was_looked_for_and_auto_takes_something_else() {
    let listed = done(&["devices"]).text();
    if listed.contains("cuda:0\t") {
        eprintln!("skipped: there is a CUDA device");
        return;
    }
    assert!(listed.contains("no cuda\t"), "{listed}");
    let refused = run(&["generate", "--device", "cuda", "Once"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("device `cuda`"),
        "{}",
        refused.stderr
    );
    let auto = run(&["generate", "--temp", "0", "-n", "3", "Once"]);
    assert_eq!(auto.code, Some(0), "{}", auto.stderr);
    assert!(auto.stderr.contains("(chosen by auto)"), "{}", auto.stderr);
}
