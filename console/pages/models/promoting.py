"""A promotion at a person's word, from whichever page: what they saw, signed, then the gate."""

from __future__ import annotations

from console.access.signature import Signature, sign
from console.page import Visit
from db import products
from db.models.standing import CHAMPION, Standing, standing
from db.session import transaction
from linewatch.errors import ModelChangedError
from model_store.store import ModelStore
from training import promotion


def promote(
    here: Visit, product: str, version: str, signature: Signature, *, seen: str, force: bool = False
) -> None:
    """Let a version serve, if the gate lets it through, or by force.

    The signature is written first: a promotion without one cannot be, and what the gate refuses
    stands in the log as a signed wish.

    Args:
        here: who wishes it.
        product: of which `version` is one.
        version: that is to serve.
        signature: of who wishes it.
        seen: the champion when the page was made; empty: none.
        force: whatever the gate says.

    Raises:
        ModelChangedError: another version serves by now.
        ModelError: the gate says no.
    """
    engine, settings = here.site.engine, here.site.settings
    before = serving(here, product, seen)
    with transaction(engine) as connection:
        detail = {"product": product, "old": seen or None, "new": version, "force": force}
        sign(connection, signature, "model.promote.signed", version, detail)
    wish = promotion.Wish.of_person(here.visitor.name, signature.reason, force=force, reasoned=True)
    store = ModelStore(settings.models_url)
    promotion.promote(engine, store, version, wish, settings=settings, seen=before)


def serving(here: Visit, product: str, seen: str, role: str = CHAMPION) -> Standing:
    """What serves, or judges in the shadow, which is what the person saw.

    Raises:
        ModelChangedError: it is another version by now.
    """
    products.require(here.site.engine, product)
    now = standing(here.site.engine, product, role)
    if (now.version or "") != seen:
        does = f"serves {product}" if role == CHAMPION else f"judges {product} in the shadow"
        raise ModelChangedError(
            f"{now.version or 'no version'} {does} by now; look again, then decide"
        )
    return now
