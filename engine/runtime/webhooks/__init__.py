"""Webhooks: endpoints of tenants, which are told of what happens: signed, in order of each run, and until they have heard it."""
