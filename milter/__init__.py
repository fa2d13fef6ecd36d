"""The gateway: one message's way, folder by folder.

- `listen`: takes mail from the world (SMTP proxy), refuses what it must, keeps the peer waiting.
- `read`: what the message is: MIME tree, visible text, links, trusted authentication results.
- `check`: questions about it: identity, engagement, language. Each answers with findings.
- `judge`: findings to verdict, verdict and policy to disposition. Pure.
- `act`: disposition to bytes: headers, banner, proof of integrity; holds go to quarantine.
- `relay`: the next hop. Its reply is our reply.

Beside the verbs: `mail` (the vocabulary), `wire` (sans-IO protocol machines), `examine` and
`pipeline` (the two halves of the path: what runs in a reader, what runs in a front), `readers`
(killable processes that touch hostile content), `ports` and `adapters` (the outside), `observe`
(metrics, mail log, health), `settings`, `app` (the only place that builds concrete things), `cli`.
"""
