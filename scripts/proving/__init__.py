"""The long forms of what the everyday suite proves in short: each module shows one thing and gives figures; `scripts/proofs` runs them."""
