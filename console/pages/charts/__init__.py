"""Control charts, their signals, and what people did about them."""
