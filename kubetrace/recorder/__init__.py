"""The recorder: a relay on loopback between any Kubernetes client and its API servers, which tells what passes.

A client is given a throw-away kubeconfig (`throwaway`) that leads here with one-time tokens; real credentials stay in
this process (`upstream`). Each connection of a client is a `conversation` with a thread of its own.

Why threads, and why an HTTP/1.1 of our own: bytes are relayed as they came, heads and bodies alike, while cheap
parsers (`heads`, `framing`, `frames`) watch where messages begin and end; only the fields that say who is asking
change. One request costs about ten system calls and no event loop, parser objects or copies, which is what makes a
Python relay fast enough to measure through; an idle watch costs a thread that sleeps in poll(2).
"""
