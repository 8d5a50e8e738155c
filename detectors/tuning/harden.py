"""A cheaper activation: HardSwish in the place of SiLU, and the weights behind it fitted anew.

SiLU is more than a quarter of what a network this small costs on a CPU; HardSwish (Howard et al. 2019, arXiv
1905.02244) is nearly the same curve for nearly nothing. What the two differ by adds up from layer to layer. So the
convolutions are gone through in the order in which they compute, and the weights of each become those that come
nearest, by least squares over cells of unlabelled pictures, to what it said before, given what reaches it now. No
labels and no gradients: a few minutes of a core, after which training goes on from nearly where the network was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from detectors.tuning.body import put_hardswish
from detectors.tuning.transfer import Detector, folded, unfolded

PICTURES = 64
"""So many do: each gives thousands of cells."""
BATCH = 16
CELLS = 1500
"""Of a picture, in a layer's answer: so many are fitted to, chosen at random."""
RIDGE = 1e-3
"""How much, as a share of an input's sum of squares, holds its weight to the old one."""


class _Enough(Exception):
    """A network need not compute on behind the layer that is looked at."""


def hardened(detector: Detector, pictures: torch.Tensor, tell: Callable[[str], None]) -> Detector:
    """A detector that computes HardSwish and says nearly what `detector` says; BatchNorm is back for training.

    `pictures`: N x 3 x H x W uint8, RGB, sides multiples of 32, of the kind that it is meant for.
    """
    before = folded(detector)
    after = folded(detector)
    put_hardswish(after)
    chance = torch.Generator().manual_seed(0)
    names = _in_order(before, pictures[:1])
    for number, name in enumerate(names[1:], start=2):  # what reaches the first is the picture
        _fit(before, after, name, pictures, chance)
        if number % 20 == 0:
            tell(f"hardening: {number} of {len(names)} layers fitted")
    return unfolded(after, pictures)


def _in_order(network: Detector, pictures: torch.Tensor) -> list[str]:
    """The names of all convolutions in the order in which they compute; the fixed one of box distances is none."""
    found: list[str] = []
    convolutions = [(name, m) for name, m in network.named_modules() if isinstance(m, nn.Conv2d) and m.bias is not None]
    hooks = [m.register_forward_hook(lambda *_said, name=name: found.append(name)) for name, m in convolutions]
    with torch.no_grad():
        network(pictures.float() / 255)
    for hook in hooks:
        hook.remove()
    return found


def _fit(before: Detector, after: Detector, name: str, pictures: torch.Tensor, chance: torch.Generator) -> None:
    """Fit the convolution `name` of `after` to what that of `before` says."""
    layer = after.get_submodule(name)
    apart = layer.groups > 1
    products: Any = 0.0
    answers: Any = 0.0
    with torch.no_grad():
        for batch in pictures.split(BATCH):
            inputs = _at(after, name, batch, "in")
            wanted = _at(before, name, batch, "out")
            cells = torch.randperm(wanted[:, 0].numel(), generator=chance)[: CELLS * len(batch)]
            x, y = _patches(layer, inputs, wanted, cells), wanted.permute(0, 2, 3, 1).flatten(0, 2)[cells].double()
            if not apart:
                x, y = x.flatten(1)[:, None], y[:, None]
            x = torch.cat((x, torch.ones_like(x[..., :1])), -1)  # cells x groups x (inputs and one for the bias)
            y = y[..., None] if apart else y
            products = products + torch.einsum("ngi,ngj->gij", x, x)
            answers = answers + torch.einsum("ngi,ngo->gio", x, y)
        old = torch.cat((layer.weight.flatten(1), layer.bias[:, None]), 1).double()
        old = old[:, :, None] if apart else old.T[None]
        squares = products.diagonal(dim1=1, dim2=2)
        hold = RIDGE * squares + 1e-6 * squares.mean(1, keepdim=True)
        new = torch.linalg.solve(products + torch.diag_embed(hold), answers + hold[..., None] * old)
        new = new[:, :, 0] if apart else new[0].T
        layer.weight.copy_(new[:, :-1].reshape(layer.weight.shape))
        layer.bias.copy_(new[:, -1])


def _patches(layer: nn.Conv2d, inputs: torch.Tensor, answer: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
    """What `layer` sees for `cells` of its answer: cells x channels x kernel cells, 64 bit."""
    (size, _), (step, _), (pad, _) = layer.kernel_size, layer.stride, layer.padding
    padded = functional.pad(inputs, (pad, pad, pad, pad))
    height, width = answer.shape[2:]
    picture, place = cells // (height * width), cells % (height * width)
    top, left = place // width * step, place % width * step
    taps = [padded[picture, :, top + dy, left + dx] for dy in range(size) for dx in range(size)]
    return torch.stack(taps, -1).double()


def _at(network: Detector, name: str, pictures: torch.Tensor, which: str) -> torch.Tensor:
    """What goes into ("in") or comes out of ("out") the layer `name`."""
    seen: list[torch.Tensor] = []

    def keep(_layer: nn.Module, inputs: tuple[torch.Tensor, ...], answer: torch.Tensor | None = None) -> None:
        seen.append(inputs[0] if answer is None else answer)
        raise _Enough

    layer = network.get_submodule(name)
    hook = layer.register_forward_pre_hook(keep) if which == "in" else layer.register_forward_hook(keep)
    try:
        network(pictures.float() / 255)
    except _Enough:
        pass
    finally:
        hook.remove()
    return seen[0]
