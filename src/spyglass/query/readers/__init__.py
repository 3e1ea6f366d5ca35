"""Log readers made of log readers: without lines that are to be deleted, and of several tenants as one."""
