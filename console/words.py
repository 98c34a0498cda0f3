"""Templates and messages: English stands in the templates, other languages in message files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel import negotiate_locale
from babel.messages.pofile import read_po
from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from jinja2_fragments import render_block
from starlette.requests import Request

from linewatch.alerting.texts import said
from linewatch.report_files.cells import words

LANGUAGES = ("en", "de")
COOKIE = "linewatch_language"


class _Compiled(BytecodeCache):
    """Templates compiled once a process: their code is the same in each language."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        kept = self._kept.get(bucket.key)
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_compiled = _Compiled()


def say(language: str, message: str) -> str:
    """A message in another language; itself where that has no word for it."""
    return _messages(language).get(message, message)


class Words:
    """Renders templates in each language.

    Args:
        timezone: IANA name; instants are shown by the plant's clock.
    """

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._environments = {language: self._environment(language) for language in LANGUAGES}

    def load(self) -> None:
        """Read all templates, so that nobody who asks for a page first waits for it."""
        for environment in self._environments.values():
            for name in environment.list_templates():
                environment.get_template(name)

    def page(self, language: str, template: str, values: Mapping[str, object]) -> str:
        """A whole template."""
        return self._environments[language].get_template(template).render(values)

    def block(self, language: str, template: str, block: str, values: Mapping[str, object]) -> str:
        """One block of a template, for a page that is there already.

        Raises:
            jinja2_fragments.BlockNotFoundError: the template has no such block.
        """
        return str(render_block(self._environments[language], template, block, values))

    def say(self, language: str, message: str) -> str:
        """As `say`, which this is."""
        return say(language, message)

    def _environment(self, language: str) -> Environment:
        environment = Environment(
            loader=PackageLoader("console", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            bytecode_cache=_compiled,
        )
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            gettext=lambda message: self.say(language, message),
            ngettext=lambda one, many, n: self.say(language, one if n == 1 else many),
            newstyle=True,
        )
        environment.filters["when"] = self._when
        environment.filters["percent"] = _percent
        environment.filters["alert"] = partial(said, say=partial(say, language))
        environment.globals["language"] = language
        environment.globals["words"] = words
        return environment

    def _when(self, instant: datetime | None) -> str:
        """An instant by the plant's clock, to the second; a dash where there is none."""
        if instant is None:
            return "–"
        return instant.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")


def _percent(share: float | None, digits: int = 1) -> str:
    """A share as people read it; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


@cache
def _messages(language: str) -> dict[str, str]:
    """Message to its translation, of `console/messages/LANGUAGE.po`; English has none."""
    if language not in LANGUAGES[1:]:
        return {}
    with files("console").joinpath(f"messages/{language}.po").open("rb") as source:
        catalogue = read_po(source, locale=language)
    return {
        entry.id: entry.string
        for entry in catalogue
        if isinstance(entry.id, str) and entry.id and isinstance(entry.string, str) and entry.string
    }


def language_of(request: Request) -> str:
    """The language that a person chose, else the first of their browser's that there is."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    asked = [part.split(";")[0].strip() for part in _accepted(request).split(",")]
    return negotiate_locale(asked, LANGUAGES, sep="-") or "en"


def _accepted(request: Request) -> str:
    return request.headers.get("accept-language", "")[:200]
