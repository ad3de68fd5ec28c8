"""Requests to the world outside, made safely for runs: the port (`port`) and the client that keeps its promises (`client`).

What may be asked of whom is decided by pure functions: `addresses` (which address may be reached), `targets` (what an address
in a text means), `heads` (which headers go where), `redirects` (what comes next) and `backoff` (when to try again). `resolving`,
`wire` and `answers` touch the network, and decide nothing.
"""
