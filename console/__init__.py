"""The web page and the API: line status, review, reports, models, parts, queue, alerts."""
