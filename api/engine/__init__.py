"""The engine surface: what a tenant's own servers speak; snake_case, credentials are API keys."""
