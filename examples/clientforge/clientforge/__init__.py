"""ClientForge: an example multi-tenant CRM back end, observed by Spyglass."""
