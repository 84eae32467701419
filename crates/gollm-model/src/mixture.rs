//! A mixture of experts: several feed-forwards, of which each token asks the few that its router picks.
//!
//! Notes: `notes/ch04-model.md`, "What other models change". Source: Shazeer et al. 2017,
//! <https://arxiv.org/abs/1701.06538>, eq. 1; the softmax before the choice is Qwen3's, "Qwen3 Technical
//! Report", 2025, <https://arxiv.org/abs/2505.09388>. Python: `Mixture` in `python/model.py`.

use std::cmp::Ordering;

use gollm_tensor::{Device, Tensor};

use crate::config::Config;
use crate::error::Result;
use crate::feed_forward::FeedForward;
use crate::part::Part;
use crate::rms_norm::RmsNorm;
use crate::tensor_names::block_tensor;
use crate::weight_source::{WeightSource, load};

/// The experts of one layer and the matrix that chooses among them.
#[derive(Debug, Clone)]
pub struct Mixture {
    /// How well each expert suits a token, `[n_experts, emb_dim]`, f32.
    pub router: Tensor,
    /// The feed-forwards, each with its own three matrices.
    pub experts: Vec<FeedForward>,
    n_experts_per_token: usize,
    norm_topk_prob: bool,
}

/// The tokens that one expert is asked about, and the weight of its answer to each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Share {
    /// Rows of the batch, ascending.
    pub tokens: Vec<usize>,
    /// One for each of them.
    pub weights: Vec<f32>,
}

impl Mixture {
    /// Takes the experts of layer `layer` from a source, or the hidden columns of each that belong to
    /// `part`. Every part has the whole router, so all choose alike.
    ///
    /// # Errors
    ///
    /// If a weight is missing or has another shape, or the device is out of memory.
    pub fn load(
        config: &Config,
        part: &Part,
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
            FeedForward::load(config, part, &prefix, source, device)
        });
        Ok(Self {
            // Few weights, and rounding one of them can send a token to another expert: f32 always.
            router: device.tensor(&shape, &load(source, &name, &shape)?.to_f32()?)?,
            experts: experts.collect::<Result<_>>()?,
            n_experts_per_token: config.n_experts_per_token,
            norm_topk_prob: config.norm_topk_prob,
        })
    }

    /// `Σ_e p_e · expert_e(x)` over the experts that a token asks, `p = softmax(router · norm(x))`.
    ///
    /// Tokens are grouped by expert: an expert's matrices are read once for all tokens of a prompt, and
    /// not at all if no token asks it. Which experts those are the host must know, so this waits for the
    /// device once a layer.
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
        let chosen = self.n_experts_per_token;
        let shares = choose(&probabilities, n_experts, chosen, self.norm_topk_prob);
        let mut sum = x.device().zeros(x.shape())?;
        for (expert, share) in self.experts.iter().zip(&shares) {
            if !share.tokens.is_empty() {
                let answers = expert.forward(norm, &x.rows(&share.tokens)?)?;
                sum.add_rows(&answers, &share.tokens, &share.weights)?;
            }
        }
        Ok(sum)
    }
}

/// What each expert gets: every token goes to its `n_chosen` most probable experts (of equal ones the
/// first), with their probabilities as weights, divided by their sum if `normalize`.
///
/// # Shapes
///
/// - `probabilities`: `[n_tokens, n_experts]`, row by row
/// - returns `n_experts` shares
#[must_use]
pub fn choose(
    probabilities: &[f32],
    n_experts: usize,
    n_chosen: usize,
    normalize: bool,
) -> Vec<Share> {
    let mut shares = vec![Share::default(); n_experts];
    let mut order: Vec<usize> = Vec::with_capacity(n_experts);
    for (token, row) in probabilities.chunks_exact(n_experts.max(1)).enumerate() {
        order.clear();
        order.extend(0..n_experts);
        // NaN sorts like a number here; it reaches the logits, where the sampler names it.
        let best_first = |a: &usize, b: &usize| match row[*b].total_cmp(&row[*a]) {
            Ordering::Equal => a.cmp(b),
            other => other,
        };
        if n_chosen < n_experts {
            order.select_nth_unstable_by(n_chosen, best_first);
            order.truncate(n_chosen);
        }
        let sum: f32 = match normalize {
            true => order.iter().map(|&expert| row[expert]).sum(),
            false => 1.0,
        };
        for &expert in &order {
            shares[expert].tokens.push(token);
            shares[expert].weights.push(row[expert] / sum);
        }
    }
    shares
}
