"""Published fakes, for our own tests and those of whoever builds on Baton: a memory store, a clock one moves by hand, scripted calls."""
