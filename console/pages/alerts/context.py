"""What the page of alerts shows."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from console.page import Context


class AlertRow(Context):
    """An alert."""

    alert: int = Field(description="Its number.")
    raised_at: datetime = Field(description="When it was raised.")
    state: str = Field(description="open, acknowledged or closed.")
    severity: str = Field(description="info, warning or critical.")
    kind: str = Field(description="What it is about, such as camera_silent, chart or drift.")
    line: str | None = Field(description="The line.")
    product: str | None = Field(description="The product.")
    source: str | None = Field(description="The worker or camera.")
    message: str = Field(description="What a person should know, and do.")
    acknowledged_by: str | None = Field(description="Who takes care of it.")
    acknowledged_at: datetime | None = Field(description="Since when.")
    closed_at: datetime | None = Field(description="When it ended.")
    closed_by: str | None = Field(description="Who closed it; null: it ended by itself.")
    note: str | None = Field(description="What they did.")
    told: str = Field(description="Which channels were told, and when last, by the plant's clock.")


class ChannelRow(Context):
    """Some people, and of what they are told."""

    channel: str = Field(description="Its name in the alerts file.")
    addresses: int = Field(description="How many addresses it has; they are never shown.")
    at_least: str = Field(description="The least severity.")
    chosen: str = Field(description="Only these kinds and lines; empty: all.")
    quiet: str = Field(description="Its quiet hours; empty: none.")
    repeat_min: float | None = Field(description="Minutes until it is told again; null: once.")
    summary: bool = Field(description="Whether it gets a summary of each shift.")


class Alerts(Context):
    """Alerts, and who is told of them."""

    at: datetime = Field(description="This moment.")
    notifier: str = Field(description="Which notifier works; empty: none does.")
    problem: str = Field(description="What is wrong with the alerts file; empty: nothing.")
    channels: list[ChannelRow] = Field(description="Of the alerts file.")
    alerts: list[AlertRow] = Field(description="Newest first.")
    state: str = Field(description="Which are listed.")
    line: str | None = Field(description="Only of this line; null: of all.")
    kind: str | None = Field(description="Only of this kind; null: all.")
    after: int | None = Field(description="Ask for `?after=` this for older ones; null: none.")
