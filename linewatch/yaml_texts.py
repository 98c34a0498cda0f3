"""YAML of which every value is text, as people mean it who write 14:00."""

from __future__ import annotations

from typing import Any

import yaml

from linewatch.unknown_keys import short


class TextLoader(yaml.BaseLoader):
    """YAML of which every value is text: by its rules 14:00 would be 840, and line 01 line 1."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that comes twice, of which YAML would keep the last."""
        names = [key.value for key, _ in getattr(node, "value", ())]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise yaml.YAMLError(f"the key {short(twice)} is there twice{node.start_mark}")
        return super().construct_mapping(node, deep)
