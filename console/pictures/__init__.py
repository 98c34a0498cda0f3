"""Pictures by the id of their inspection, authorised as pages are."""
