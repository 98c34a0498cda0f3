"""Verdicts to the line: outbox, MQTT, webhook, OPC UA, Modbus."""
