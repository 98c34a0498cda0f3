"""TLS to an MQTT broker, and what went wrong with it in words."""

from __future__ import annotations

import ssl

from linewatch.errors import ConfigurationError
from outputs.drivers.mqtt_options import MqttOptions


def tls(options: MqttOptions) -> ssl.SSLContext:
    """The context of a connection.

    Raises:
        ConfigurationError: its certificates cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=options.ca_file)
        if options.cert_file is not None and options.key_file is not None:
            context.load_cert_chain(options.cert_file, options.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"receiver {options.name!r}: its certificates cannot be used: {words(error)}"
        ) from None
    return context


def words(error: Exception) -> str:
    """Why a broker could not be reached."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}; is ca_file right?"
    if isinstance(error, TimeoutError):
        return "does not answer; is it running?"
    return getattr(error, "strerror", None) or str(error)
