"""What the model cards say, without the figures."""

from __future__ import annotations

from collections.abc import Mapping

NETWORKS: Mapping[str, tuple[str, str, str]] = {
    "clip": (
        "Compact CLIP",
        "open_clip",
        "A CLIP whose image tower is a ResNet that begins with {width} channels (OpenAI's\n"
        "ViT-B/32 is a vision transformer: same training, same loader, another architecture),\n"
        "and a text tower of 2 layers; embeddings of {embed_dim} numbers. Trained contrastively\n"
        "with sentences; heads that name the class, its defects, and where they are, helped\n"
        "and were dropped.",
    ),
    "dinov2": (
        "Compact DINOv2",
        "transformers",
        "A DINOv2 of {num_hidden_layers} layers, {hidden_size} numbers wide, with patches of\n"
        "{patch_size} pixels. Trained by self-distillation (student and teacher, pictures and\n"
        "crops); heads that name the class, its defects, and where they are, helped and were\n"
        "dropped.",
    ),
}
TEXT = """---
license: apache-2.0
library_name: {library}
---
# {title}
{what}

## Data
{data}

## Training
{steps} steps in {minutes} minutes on {machine}{before}; `docs/encoders.md` says how to train such
a pair.

## What it reaches
{reached}

## Limits
{limits}

## Files
{files}
"""
DATA = """\
{pictures} pictures drawn by `tools/train_compact` (seed {seed}): cables of the simulator in many
colours and layouts, and four other families ({families}); {classes}
classes in all. No photograph and no other party's picture was used, so the weights carry the
project's own licence.

What the figures below are of:
- **cable, other cables**: the renderer that drew what it was trained on. They say that it learnt
  what it was shown, not how it does on real cables. So does zero-shot, whose sentences come from a
  grammar that covers nearly the wording of `products/cable.yaml`.
- **mvtec-bottle**: the drawn necks of glass (a part of the family ring) were designed with the
  photographs of this test in view.
- **x-sdd**: the drawn textures include a class for each of its seven kinds of surface.

None of these photographs was trained on, but none of the four sets is one that the drawings were
made without knowing. The differences to other encoders, and how sure they are, hold for these sets
and say little of another product: judge on pictures of your own."""
DATA_GPU = """\
Up to {pictures} scenes drawn by `tools/train_compact/gpu` (seed {seed}), each seen anew at every
visit: turned, near or far, lit, blurred and noisy, some grey, many of strong contrast. A quarter
are cables of the simulator; two fifths are surfaces of {kinds} kinds that are parameters alone,
told apart by supervised contrast (Khosla et al. 2020), with flaws pasted on them; the rest are
the other families ({families}); {classes} classes in all. No photograph and no other party's
picture was used, so the weights carry the project's own licence.

What the pictures were designed after:
- **cable**: the renderer of the simulated line, which also draws the tests called cable and other
  cables; the sentences cover nearly the wording of `products/cable.yaml`.
- **ring**: its necks of glass were designed with the photographs of mvtec-bottle in view.
- **flaws of surfaces**, on both kinds of them: a class for each of the seven surfaces of x-sdd.
- **the kinds of surface, and what lens and sensor do**: no photograph. That there are so many
  surfaces, grey pictures and strong contrasts was decided after figures on mvtec-bottle, x-sdd,
  solar cells and sets kept aside had shown where the earlier run was weak. So these sets
  say less of this run than a set that nobody had measured.

Judge on pictures of your own."""
LIMITS = """\
It was trained on drawn pictures alone. It is made for trying Linewatch out, for tests, and for
machines that can reach nothing; judge real parts with the full encoders. Products, surfaces, lamps
and lenses that were never drawn are beyond what it has seen. Pictures are seen at 224x224 pixels:
what cannot be seen there cannot be judged."""
