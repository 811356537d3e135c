-- Agents are known by certificates instead of their site's token.

DROP TABLE site_tokens;

ALTER TABLE agents
    ADD COLUMN revoked_at        timestamptz,
    ADD COLUMN revoked_reason    text,
    ADD COLUMN certificate_until timestamptz,
    ADD COLUMN instance          bytea,                   -- the run of the agent that reported last
    ADD COLUMN policy            jsonb NOT NULL DEFAULT '{}',  -- kind of task -> allow, ask, deny or rules, as reported
    ADD COLUMN channel           text NOT NULL DEFAULT '',     -- wss, mqtts, off or down, as reported
    ADD COLUMN audit_number      bigint NOT NULL DEFAULT 0,    -- the newest entry of its audit log that is held here
    ADD COLUMN audit_hash        bytea,
    ADD COLUMN audit_broken_at   timestamptz,             -- its log did not hold what it had held before
    ADD COLUMN task_number       bigint NOT NULL DEFAULT 0;    -- of the last task that was made for it

-- Only hashes: whoever reads this table cannot activate.
CREATE TABLE codes (
    id         text PRIMARY KEY,                          -- the public part of the code
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32),
    site       bigint NOT NULL REFERENCES sites,
    agent      bigint REFERENCES agents,                  -- gives a known agent a new identity; else a new agent
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    expires_at timestamptz NOT NULL,
    failures   int NOT NULL DEFAULT 0,                    -- with the right id and a wrong secret
    locked_at  timestamptz,
    used_at    timestamptz,
    used_by    bigint REFERENCES agents,
    used_key   bytea                                      -- SHA-256 of the public key that it was used with
);
CREATE INDEX codes_by_site ON codes (site);

-- Every judged activation and every refused renewal: who came, with which code, and what came of it.
CREATE TABLE activations (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    source  text NOT NULL,                                -- address
    code    text,
    agent   bigint REFERENCES agents,
    outcome text NOT NULL                                 -- activated, repeated, renewed, or why it was refused
);
CREATE INDEX activations_by_source ON activations (source, at);

CREATE TABLE certificates (
    serial      text PRIMARY KEY,                         -- hex
    agent       bigint NOT NULL REFERENCES agents,
    not_before  timestamptz NOT NULL,
    not_after   timestamptz NOT NULL,
    issued_at   timestamptz NOT NULL DEFAULT now(),
    first_used  timestamptz,
    replaced_at timestamptz                               -- a newer one of the agent was used
);
CREATE INDEX certificates_by_agent ON certificates (agent, issued_at);

-- Runs of agents that have ended: one that reports again is a copy.
CREATE TABLE agent_instances (
    agent    bigint NOT NULL REFERENCES agents,
    instance bytea NOT NULL,
    ended_at timestamptz NOT NULL,
    PRIMARY KEY (agent, instance)
);
