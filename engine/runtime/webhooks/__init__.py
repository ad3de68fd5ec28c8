"""Webhooks: a tenant's endpoints are sent what happens: signed, in order within each run, and again until it is delivered or parked."""
