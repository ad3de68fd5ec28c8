"""The words of the house: frozen values and closed unions, without behaviour.

The types are the schema: flow files, the wire and the stored state are checked by them.
Nothing here knows how a flow is read, run, stored or served.
"""
