//! Mixture of experts (MoE): several feed-forwards, and a router that sends each token to a few of them.
//!
//! Notes: `notes/ch04-model.md`, "What other models change". Source: Shazeer et al. 2017,
//! <https://arxiv.org/abs/1701.06538>, eq. 1; the softmax before the top-k is Qwen3's, "Qwen3 Technical
//! Report", 2025, <https://arxiv.org/abs/2505.09388>. Python: `Moe` in `python/model.py`.

use std::cmp::Ordering;

use gollm_tensor::{Device, Tensor};

use crate::config::Config;
use crate::error::Result;
use crate::feed_forward::FeedForward;
use crate::rms_norm::RmsNorm;
use crate::shard::Shard;
use crate::tensor_names::block_tensor;
use crate::weight_source::{WeightSource, load};

/// The experts of one layer and the router that chooses among them.
#[derive(Debug, Clone)]
pub struct Moe {
    /// How well each expert suits a token, `[n_experts, emb_dim]`, f32.
    pub router: Tensor,
    /// The feed-forwards, each with its own three matrices.
    pub experts: Vec<FeedForward>,
    n_experts_per_token: usize,
    norm_topk_prob: bool,
}

/// The tokens that are routed to one expert, and the weight of its output for each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExpertTokens {
    /// Rows of the batch, ascending.
    pub tokens: Vec<usize>,
    /// One for each of them.
    pub weights: Vec<f32>,
}

impl Moe {
    /// Takes the experts of layer `layer` from a source, or the hidden columns of each that belong to
    /// `shard`. Every shard has the whole router, so all of them route alike.
    ///
    /// # Errors
    ///
    /// If a weight is missing or has another shape, or the device is out of memory.
    pub fn load(
        config: &Config,
        shard: &Shard,
        layer: usize,
        source: &dyn WeightSource,
        device: &Device,
    ) -> Result<Self> {
        let (name, shape) = (
            block_tensor(layer, "ffn.router"),
            [config.n_experts, config.emb_dim],
        );
        let experts = (0..config.n_experts).map(|expert| {
            let prefix = format!("blocks.{layer}.ffn.experts.{expert}");
            FeedForward::load(config, shard, &prefix, source, device)
        });
        Ok(Self {
            // Few weights, and rounding one of them can send a token to another expert: f32 always.
            router: device.tensor(&shape, &load(source, &name, &shape)?.to_f32()?)?,
            experts: experts.collect::<Result<_>>()?,
            n_experts_per_token: config.n_experts_per_token,
            norm_topk_prob: config.norm_topk_prob,
        })
    }

    /// `Σ_e p_e · expert_e(x)` over the active experts of a token, `p = softmax(router · norm(x))`.
    ///
    /// Tokens are grouped by expert: an expert's matrices are read once for all tokens of a prompt, and
    /// not at all if no token is routed to it. The host must know which experts are active, so this
    /// waits for the device once a layer.
    ///
    /// # Shapes
    ///
    /// - `x` and the result: `[n_tokens, emb_dim]`
    ///
    /// # Errors
    ///
    /// If `x` has another width or the device failed.
    pub fn forward(&self, norm: &RmsNorm, x: &Tensor) -> Result<Tensor> {
        let [logits] = x.norm_matmul(&norm.weight, norm.eps, [&self.router])?;
        let probabilities = logits.softmax()?.to_vec()?;
        let n_experts = self.experts.len();
        let n_active = self.n_experts_per_token;
        let routes = route_top_k(&probabilities, n_experts, n_active, self.norm_topk_prob);
        let mut sum = x.device().zeros(x.shape())?;
        for (expert, routed) in self.experts.iter().zip(&routes) {
            if !routed.tokens.is_empty() {
                let out = expert.forward(norm, &x.rows(&routed.tokens)?)?;
                sum.add_rows(&out, &routed.tokens, &routed.weights)?;
            }
        }
        Ok(sum)
    }
}

/// Top-k routing: every token is routed to its `n_active` most probable experts (of equal ones the
/// first), with their probabilities as weights, divided by their sum if `normalize`.
///
/// # Shapes
///
/// - `probabilities`: `[n_tokens, n_experts]`, row by row
/// - returns one entry for each of the `n_experts` experts
#[must_use]
pub fn route_top_k(
    probabilities: &[f32],
    n_experts: usize,
    n_active: usize,
    normalize: bool,
) -> Vec<ExpertTokens> {
    let mut routes = vec![ExpertTokens::default(); n_experts];
    let mut order: Vec<usize> = Vec::with_capacity(n_experts);
    for (token, row) in probabilities.chunks_exact(n_experts.max(1)).enumerate() {
        order.clear();
        order.extend(0..n_experts);
        // NaN sorts like a number here; it reaches the logits, where the sampler names it.
        let best_first = |a: &usize, b: &usize| match row[*b].total_cmp(&row[*a]) {
            Ordering::Equal => a.cmp(b),
            other => other,
        };
        if n_active < n_experts {
            order.select_nth_unstable_by(n_active, best_first);
            order.truncate(n_active);
        }
        let sum: f32 = if normalize {
            order.iter().map(|&expert| row[expert]).sum()
        } else {
            1.0
        };
        for &expert in &order {
            routes[expert].tokens.push(token);
            routes[expert].weights.push(row[expert] / sum);
        }
    }
    routes
}
