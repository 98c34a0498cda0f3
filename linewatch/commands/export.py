"""`linewatch export`: the networks in forms that other servers read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from linewatch.errors import ModelError, WeightsError

if TYPE_CHECKING:
    from vision.framing import Framing


@click.group()
def command() -> None:
    """Write the encoders, and a product's model, as ONNX for other servers."""


@command.command("onnx")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--product", help="Put this product's champion behind the encoders.")
@click.option("--replace", is_flag=True, help="Write over FILE.")
def onnx_(file: Path, product: str | None, replace: bool) -> None:
    """Write an ONNX model to FILE, in float32, once ONNX Runtime was seen to agree with it.

    Input `images`: uint8 [n, 3, S, S], RGB, resized and cropped as docs/engine.md says. Outputs:
    `features`, float32 [n, d], and with --product `probabilities`, in the order of the file's
    metadata `classes`. Rules that measure how far a part lies from what the model has seen are not
    in the file: metadata `rules_left_out` names them.
    """
    from linewatch.settings import get_settings
    from vision.networks import load_net
    from vision.recipes import recipe_named
    from vision.weights import describe, find_weights

    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401

        from vision.export_onnx import export
    except ImportError as error:
        raise WeightsError(f"{error}; `pip install linewatch[openvino]` first") from None
    if file.exists() and not replace:
        raise WeightsError(f"{file} exists; say --replace to write over it")
    settings = get_settings()
    net, fingerprint = load_net(find_weights(settings), recipe_named(settings.recipe))
    if product is not None:
        fingerprint = fingerprint.framed(_framing(product), net.size)
    metadata: dict[str, object] = {
        "fingerprint": fingerprint.hex,
        "encoders": describe(settings),
        "recipe": fingerprint.recipe,
        "preprocessing": dict(fingerprint.preprocessing),
        "input": f"uint8 [n, 3, {net.size}, {net.size}], RGB",
    }
    module: Any = net
    outputs: tuple[str, ...] = ("features",)
    if product is not None:
        module, extra = _with_head(net, product, fingerprint.hex)
        metadata, outputs = {**metadata, **extra}, ("features", "probabilities")
        _warn(extra["rules_left_out"])
    found = export(module, file, size=net.size, outputs=outputs, metadata=metadata)
    click.echo(
        f"wrote {file}, {file.stat().st_size / 1e6:.1f} MB; against torch: largest difference "
        f"{found.largest_difference:.2g}, least cosine {found.least_cosine:.6f}"
    )


def _warn(left_out: object) -> None:
    if isinstance(left_out, list) and left_out:
        click.echo(
            f"the file gives probabilities; it does not measure what {', '.join(left_out)} speak "
            "of, so whoever judges by it alone passes parts that workers send to a person",
            err=True,
        )


def _framing(product: str) -> Framing:
    """How the champion's pictures are brought to the square that the file takes."""
    from db.session import default_engine
    from training.spaces.framing import champion_framing
    from vision.framing import CENTRE_CROP

    found = champion_framing(default_engine(), product) or CENTRE_CROP
    if found.fit == "tiles":
        raise ModelError(
            f"{product}'s model looks at several tiles of a picture, and the file takes one square "
            "at a time; export without --product, or train with `--fit squash`"
        )
    return found


def _with_head(net: Any, product: str, fingerprint: str) -> tuple[Any, dict[str, object]]:
    from db.models import deployments, versions
    from db.session import default_engine
    from linewatch.settings import get_settings
    from model_store.serving.apply import AffineHead
    from model_store.serving.judge_net import JudgeNet
    from model_store.store import ModelStore
    from model_store.verdicts.verdict import BY_DISTANCE

    engine = default_engine()
    version = deployments.champion(engine, product)
    info = None if version is None else versions.get(engine, version)
    if info is None:
        raise ModelError(f"{product} has no model in service; promote one first")
    if info.fingerprint != fingerprint:
        raise ModelError(
            f"{info.version} was fitted on features {info.fingerprint:.16} ({info.encoders}), not "
            f"on these encoders' in float32 ({fingerprint:.16}); export without --product"
        )
    store = ModelStore(get_settings().models_url)
    stored = store.load(product, info.version, manifest_sha256=info.manifest_sha256)
    thresholds = stored.manifest.thresholds.model_dump(mode="json")
    extra: dict[str, object] = {
        "product": product,
        "model_version": info.version,
        "classes": list(stored.head.classes),
        "good_class": stored.manifest.good_class,
        "thresholds": thresholds,
        "rules_left_out": [name for name in BY_DISTANCE if name in thresholds],
    }
    return JudgeNet(net, AffineHead(stored.head)), extra
