"""Chaos: a conversation test that passes is played again and again, each time with one kind of disturbance, which must go unnoticed.

Every input comes twice, or its process dies before or after each commit, or a deadline comes at the moment of an answer, or the clock is
set forward and back. What the customer is told, the way the run takes, and what is stored in the end must be what they are without.
"""

from engine.testing.conversations.chaos.playing import IN_MEMORY, PLANS, Chaos, Plan, disturbed

__all__ = ["IN_MEMORY", "PLANS", "Chaos", "Plan", "disturbed"]
