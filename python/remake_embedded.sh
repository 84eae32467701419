#!/usr/bin/env bash
# Remakes test_data/gollm-stories.gollm as it was made: two runs at two commits, about 45 minutes.
#
#     source .venv/bin/activate && bash python/remake_embedded.sh
#
# The weights come out the same only with the same PyTorch on the same kind of processor; the losses
# are alike on any. Then: python goldens.py --record gollm-stories.gollm
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'git -C "$root" worktree remove --force "$work/first"; git -C "$root" worktree remove --force "$work/second"' EXIT
git -C "$root" worktree add --quiet --detach "$work/first" e3031ab
git -C "$root" worktree add --quiet --detach "$work/second" 8696fe5

# The first run was stopped after 2,579 of its 4,000 steps (exit code 130: stopped, and saved).
cd "$work/first/python"
python -c '
import sys, train
last = int(sys.argv[1])
class Stopping(train.Trainer):
    def _train_step(self):
        self.should_stop = self.step + 1 == last
        return super()._train_step()
train.Trainer = Stopping
sys.exit(0 if train.main(sys.argv[2:]) == 130 else 1)
' "${FIRST_STEPS:-2579}" --out "$work/a" --threads 1 --compile

cd "$work/second/python"
python train.py --init-from "$work/a" --steps "${SECOND_STEPS:-2000}" --learning-rate 1.5e-3 \
    --out "$work/b" --threads 1 --compile

cd "$root/python"
python export.py --checkpoint "$work/b" --out "${OUT:-../test_data/gollm-stories.gollm}"
