"""Programs of the outside world to try Baton with: a shop that flows ask, and a worker that does their tasks."""
