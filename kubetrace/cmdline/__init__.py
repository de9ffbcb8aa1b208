"""kubectl's command-line grammar: flags as data, pflag's parsing rules and words, cobra's command search and help.

Nothing here knows a single command: `kubetrace.commands` declares them, `kubetrace.cli` puts both together.
"""
