"""The engine: everything Baton knows about conversations, and nothing about HTTP.

`model` holds the types; `expressions` compiles and evaluates what authors write in braces; `interpreter` advances a run by one event;
`loading` turns YAML into flows and names every problem; these four are pure. `runtime` is the shell around them: store, clock, scheduler,
effects and prices. `testing` publishes the fakes that our tests and users' tests share. Imports point one way only:
model <- expressions <- interpreter <- runtime, with loading beside the interpreter.
"""
