//! A model with experts in every command: counted, made, rounded, converted, run.

use crate::support::{CONFIG, Files, done};

const EXPERTS: &str = "qk_norm: true\nn_experts: 5\nn_experts_per_token: 2\nnorm_topk_prob: true\n";

/// Ten greedy ids on a device.
fn ids(model: &str, device: &str) -> serde_json::Value {
    let args = [
        "generate",
        "-m",
        model,
        "--device",
        device,
        "--temp",
        "0",
        "-n",
        "10",
        "--ignore-eos",
        "--json",
        "Once",
    ];
    done(&args).json()["ids"].clone()
}

#[test]
fn a_mixture_is_counted_made_rounded_converted_and_run() {
    let files = Files::new();
    let config = files.write("experts.yaml", format!("{CONFIG}{EXPERTS}"));
    let text = done(&["params", &config]).text();
    assert!(text.contains("used by one token"), "{text}");
    let counts = done(&["params", &config, "--json"]).json();
    let (total, active) = (
        &counts["parameters"]["total"],
        &counts["parameters"]["active"],
    );
    // Two layers, three experts that a token does not ask, three matrices each.
    let idle = total.as_u64().unwrap() - active.as_u64().unwrap();
    assert_eq!(idle, 2 * 3 * 3 * 32 * 64);

    let (own, there, back) = (
        files.path("own.gollm"),
        files.path("there.gguf"),
        files.path("back.gollm"),
    );
    done(&["random-model", &config, &own]);
    let inspected = done(&["inspect", &own]).text();
    assert!(inspected.contains(".gollm format 2.0"), "{inspected}");
    let expected = ids(&own, "reference");
    assert_eq!(ids(&own, "cpu"), expected);
    done(&["convert", &own, &there]);
    done(&["convert", &there, &back]);
    assert_eq!(ids(&there, "reference"), expected);
    assert_eq!(ids(&back, "reference"), expected);

    let small = files.path("small.gollm");
    let said = done(&["quantize", &own, &small, "--type", "q8_0"]);
    assert!(
        said.stderr.contains("2 routers kept in f32"),
        "{}",
        said.stderr
    );
    let table = said.text();
    assert!(
        table.contains("ffn.experts.down_proj      10  q8_0"),
        "{table}"
    );
    let tensors = done(&["inspect", &small, "--json"]).json();
    let tensors = tensors["tensors"].as_array().unwrap();
    let router = tensors
        .iter()
        .find(|t| t["name"] == "blocks.1.ffn.router.weight");
    assert_eq!(router.unwrap()["dtype"], "f32");
    done(&["verify", &small]);
    assert_eq!(ids(&small, "cpu").as_array().unwrap().len(), 10);
}
