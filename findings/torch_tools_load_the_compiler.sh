#!/usr/bin/env bash
# torch 2.14.1 imports its whole compiler (torch._dynamo) for things that compile nothing: making any optimizer, the first
# operation under a TorchDispatchMode, a linear layer with a bias on the meta device, and a random initialisation there.
# Forward and backward alone do not. It costs seconds and some 100 MB in every process that trains, counts FLOPs or lays out a
# network.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.14.1
cat > "$folder/loads.py" <<'PYTHON'
import sys

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode


class Mode(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def eager():
    nn.Linear(4, 3)(torch.ones(2, 4)).square().sum().backward()


def optimizer():
    torch.optim.SGD(nn.Linear(4, 3).parameters(), lr=0.1)


def dispatch_mode():
    with Mode():
        torch.ones(2) + 1


def meta_linear():
    nn.functional.linear(*(torch.ones(size, device="meta") for size in ((2, 4), (3, 4), (3,))))


def meta_normal():
    torch.empty(3, device="meta").normal_()


{"eager": eager, "optimizer": optimizer, "dispatch mode": dispatch_mode, "meta linear": meta_linear, "meta normal_": meta_normal}[sys.argv[1]]()
print(f"torch {torch.__version__}, {sys.argv[1]}: torch._dynamo {'loaded' if 'torch._dynamo' in sys.modules else 'not loaded'}")
sys.exit("torch._dynamo" in sys.modules)
PYTHON
expected=0
for what in "eager:0" "optimizer:1" "dispatch mode:1" "meta linear:1" "meta normal_:1"; do
    loaded=0
    "$folder/venv/bin/python" "$folder/loads.py" "${what%:*}" || loaded=$?
    [ "$loaded" = "${what#*:}" ] || { echo "changed: ${what%:*}"; expected=1; }
done
exit $expected
