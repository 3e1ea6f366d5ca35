"""Every seam between rooms, and no behaviour."""
