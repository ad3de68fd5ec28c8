"""The chat surface: what browsers speak, for people in conversations; camelCase, credentials got for a public key."""
