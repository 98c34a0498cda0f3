"""Batch norms of a network that is no longer trained, folded into the convolutions before them.

A batch norm then only scales and shifts, which a convolution's own weights can do as well: every
activation is read and written once less. Jacob et al. 2018, "Quantization and Training of Neural
Networks for Efficient Integer-Arithmetic-Only Inference", section 3.2.
"""

from __future__ import annotations

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norms(network: nn.Module) -> None:
    """Fold, in place, every batch norm that directly follows a convolution in its module.

    Args:
        network: in evaluation mode. Its modules must call their children in the order in which
            they were added, as open_clip's ResNet towers and `nn.Sequential` do.
    """
    for module in list(network.modules()):
        children = list(module.named_children())
        convolution: tuple[str, nn.Conv2d] | None = None
        for name, child in children:
            if isinstance(child, nn.BatchNorm2d) and convolution is not None:
                setattr(module, convolution[0], fuse_conv_bn_eval(convolution[1], child))
                setattr(module, name, nn.Identity())
            convolution = (name, child) if isinstance(child, nn.Conv2d) else None
