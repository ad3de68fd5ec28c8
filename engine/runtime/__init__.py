"""The imperative shell around the pure core: store, clock, executor, scheduler, prices.

An event enters through `executor.Executor`, which has the store load what it concerns, lets `turns` decide, and has the store save
the decision whole or not at all. `scheduler.Scheduler` lets waits expire through the very same path.
"""
