//! The sampler: runs the chain, then draws.

use crate::{Candidates, Penalties, Random, Result, SamplerOptions, Step, Table, apply_penalties};

/// Chooses ids from logits, one per call, from one seeded random sequence.
///
/// Holds the working memory, so that after the first token nothing is
/// allocated. One sampler belongs to one text: its random sequence advances
/// with every draw.
#[derive(Debug, Clone)]
pub struct Sampler {
    options: SamplerOptions,
    random: Random,
    candidates: Candidates,
    window: Vec<u32>,
}

impl Sampler {
    /// A sampler at the start of its seed's random sequence.
    ///
    /// # Errors
    ///
    /// As [`SamplerOptions::validate`].
    pub fn new(options: SamplerOptions) -> Result<Self> {
        options.validate()?;
        Ok(Self {
            options,
            random: Random::new(options.seed),
            candidates: Candidates::default(),
            window: Vec::new(),
        })
    }

    /// The options it was made with.
    pub fn options(&self) -> &SamplerOptions {
        &self.options
    }

    /// Chooses the next id.
    ///
    /// `previous` are the ids so far, oldest first: the penalties look at the
    /// last of them. Whether a prompt counts is the caller's choice.
    ///
    /// # Shapes
    ///
    /// - `logits`: `[vocab_size]`, position = token id
    ///
    /// # Errors
    ///
    /// [`Error::NoLogits`](crate::Error::NoLogits) and
    /// [`Error::NonFiniteLogit`](crate::Error::NonFiniteLogit) for logits that
    /// are no logits, [`Error::UnknownId`](crate::Error::UnknownId) for a
    /// previous id without one. A failed call draws no random number.
    pub fn sample(&mut self, logits: &[f32], previous: &[u32]) -> Result<u32> {
        self.candidates.fill(logits)?;
        if self.options.temperature == 0.0 {
            return self.best(previous);
        }
        for step in Step::ORDER {
            self.apply(step, previous)?;
        }
        Ok(self.draw())
    }

    /// The distribution that [`sample`](Self::sample) would draw from: ids with
    /// their probabilities, most probable first. Draws nothing.
    ///
    /// # Errors
    ///
    /// As [`sample`](Self::sample).
    ///
    /// # Examples
    ///
    /// ```
    /// use gollm_sampler::{Sampler, SamplerOptions};
    ///
    /// let options = SamplerOptions { temperature: 1.0, top_k: 2, ..Default::default() };
    /// let logits = [0.0, 2.0f32.ln(), -5.0];
    /// let table = Sampler::new(options)?.distribution(&logits, &[])?;
    /// assert_eq!(table.len(), 2);
    /// assert_eq!(table[0].0, 1);
    /// assert!((table[0].1 - 2.0 / 3.0).abs() < 1e-6);
    /// # Ok::<(), gollm_sampler::Error>(())
    /// ```
    pub fn distribution(&mut self, logits: &[f32], previous: &[u32]) -> Result<Table> {
        self.candidates.fill(logits)?;
        for step in Step::ORDER {
            self.apply(step, previous)?;
        }
        Ok(self.candidates.probabilities())
    }

    /// The distribution after each step of the chain, to look at: where ids
    /// disappear and how the probabilities of the others move. Draws nothing.
    ///
    /// # Errors
    ///
    /// As [`sample`](Self::sample).
    pub fn explain(&mut self, logits: &[f32], previous: &[u32]) -> Result<Vec<(Step, Table)>> {
        self.candidates.fill(logits)?;
        let mut tables = Vec::with_capacity(Step::ORDER.len());
        for step in Step::ORDER {
            self.apply(step, previous)?;
            tables.push((step, self.candidates.probabilities()));
        }
        Ok(tables)
    }

    fn apply(&mut self, step: Step, previous: &[u32]) -> Result<()> {
        let Self {
            options,
            candidates,
            window,
            ..
        } = self;
        step.apply(candidates, options, previous, window)
    }

    /// Greedy decoding. Of the chain only the penalties matter: no cut ever
    /// removes the best candidate.
    fn best(&mut self, previous: &[u32]) -> Result<u32> {
        let penalties = Penalties::from(&self.options);
        apply_penalties(&mut self.candidates, previous, &penalties, &mut self.window)?;
        self.candidates
            .best()
            .map(|best| best.id)
            .ok_or(crate::Error::NoLogits)
    }

    /// Draws one candidate with probability proportional to its weight.
    ///
    /// Lay the weights end to end on a line and throw a dart at it: the
    /// candidate whose piece is hit is drawn.
    fn draw(&mut self) -> u32 {
        let total: f64 = self.candidates.weights().sum();
        let mut left = self.random.next_f64() * total;
        let mut chosen = 0;
        for (candidate, weight) in self
            .candidates
            .entries()
            .iter()
            .zip(self.candidates.weights())
        {
            if weight > 0.0 {
                chosen = candidate.id;
                if left < weight {
                    break;
                }
            }
            left -= weight;
        }
        // Rounding can leave the dart just past the end: then the last
        // candidate that has any weight is the one.
        chosen
    }
}
