"""Which tokens a training step sees: a pure function of the seed and the step.

The tokens are cut into windows of `sequence_length + 1` that overlap by one token (a window's
last token is only a target). In each epoch every window comes exactly once, in an order drawn
from the seed and the epoch, and the cuts are shifted, so that a token does not always stand at the
same place of a window. Sequence `k` of a run is row `k % batch_size` of step `k // batch_size`,
whatever the number of processes, and no state is kept: resuming at a step is asking for that step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stories.draws import fold
from text_pieces import DataError
from token_shards import Shards

# Rounds of the Feistel network. Four give a permutation that tests cannot tell from a random one
# (Luby and Rackoff 1988, "How to construct pseudorandom permutations").
N_ROUNDS = 4


class Windows:
    """Windows of tokens in a shuffled order, epoch after epoch."""

    def __init__(self, shards: Shards, sequence_length: int, seed: int) -> None:
        """Raises `DataError` when the shards hold less than one window."""
        if sequence_length < 1:
            raise DataError(f"sequence_length is {sequence_length}, expected 1 or more")
        # One window less than would fit, so that there is room to shift the cuts.
        n_windows = (shards.n_tokens - 1) // sequence_length
        if n_windows < 1:
            raise DataError(
                f"the {shards.split} split has {shards.n_tokens} tokens, one window needs "
                f"{sequence_length + 1}: give more data or a shorter sequence_length"
            )
        self.shards = shards
        self.sequence_length = sequence_length
        self.seed = seed
        self.n_windows = max(1, n_windows - 1)
        self._slack = shards.n_tokens - 1 - self.n_windows * sequence_length

    def sequences(
        self, step: int, batch_size: int, rank: int = 0, world_size: int = 1
    ) -> NDArray[np.int64]:
        """This process's rows of a step's batch, `[batch_size / world_size, length + 1]`.

        The rows of ranks 0, 1, ... one below the other are the batch of a single process.
        """
        if step < 0 or batch_size < 1:
            raise DataError(f"step {step} of batches of {batch_size} was asked for")
        if not 0 <= rank < world_size or batch_size % world_size != 0:
            raise DataError(
                f"a batch of {batch_size} cannot be cut for rank {rank} of {world_size} "
                f"processes: batch_size must be a multiple of the number of processes"
            )
        rows = batch_size // world_size
        first = step * batch_size + rank * rows
        return np.stack([self.window(first + row) for row in range(rows)])

    def batch(
        self, step: int, batch_size: int, rank: int = 0, world_size: int = 1
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The same rows as inputs and targets; target `t` is the token after input `t`."""
        rows = self.sequences(step, batch_size, rank, world_size)
        return rows[:, :-1], rows[:, 1:]

    def window(self, k: int) -> NDArray[np.int64]:
        """Sequence `k` of the endless run, `[sequence_length + 1]`."""
        epoch, place = divmod(k, self.n_windows)
        shift = fold(self.seed, epoch, 1) % (self._slack + 1)
        position = permuted(place, self.n_windows, fold(self.seed, epoch, 2))
        start = shift + position * self.sequence_length
        return self.shards.tokens(start, self.sequence_length + 1)


def permuted(place: int, size: int, seed: int) -> int:
    """The value at `place` of a permutation of `0 .. size - 1`, without making the others.

    A Feistel network permutes the next larger power of four; values that fall outside are
    permuted again until they fall inside, which keeps it one-to-one (cycle walking: Black and
    Rogaway 2002, "Ciphers with arbitrary finite domains").
    """
    half_bits = max(1, ((size - 1).bit_length() + 1) // 2)
    mask = (1 << half_bits) - 1
    value = place
    while True:
        left, right = value >> half_bits, value & mask
        for round_number in range(N_ROUNDS):
            left, right = right, left ^ (fold(seed, round_number, right) & mask)
        value = (left << half_bits) | right
        if value < size:
            return value
