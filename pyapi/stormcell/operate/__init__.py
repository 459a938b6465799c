"""What an operator asks and tells a cluster: `state` is what Nimbus tells, as plain Python, `ask` gets it,
`tables` draws it; `traces`, `rates`, `follow` and `logs` are what single commands need. No part of a worker.
"""
