-- The hub's first schema. PostgreSQL 15 and newer.

CREATE TABLE sites (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Only hashes: whoever reads this table cannot report as a site.
CREATE TABLE site_tokens (
    sha256     bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    site       bigint NOT NULL REFERENCES sites,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX site_tokens_by_site ON site_tokens (site);

CREATE TABLE agents (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent_id          uuid NOT NULL UNIQUE,
    site              bigint NOT NULL REFERENCES sites,   -- bound by the first report, for good
    version           text NOT NULL,
    hostname          text NOT NULL,
    platform          text NOT NULL,
    started_at        timestamptz,
    devices           bigint NOT NULL,
    devices_answering bigint NOT NULL,
    backlog           bigint NOT NULL,                    -- rows that wait at the agent
    clock_offset_s    double precision,                   -- the agent's clock minus the hub's
    first_report_at   timestamptz NOT NULL DEFAULT now(),
    last_report_at    timestamptz NOT NULL DEFAULT now(),
    clone_seen_at     timestamptz                         -- two copies of its state were running
);
CREATE INDEX agents_by_site ON agents (site);

-- What agents delivered, byte by byte. (agent, epoch, number) names a row for ever and is stored once.
-- agent carries no foreign key: the agent's row is locked by the same transaction, and a check per row costs.
CREATE TABLE rows (
    agent       bigint NOT NULL,
    epoch       bytea NOT NULL CHECK (octet_length(epoch) = 16),
    number      bigint NOT NULL CHECK (number > 0),
    kind        smallint NOT NULL,                        -- dca.v1.RowKind
    crc32       bigint NOT NULL,
    device_id   text,                                     -- of a snapshot, as are the next three
    read_at     timestamptz,                              -- by the agent's clock
    read_kind   smallint,                                 -- dca.v1.ReadKind
    outcome     smallint,                                 -- dca.v1.Outcome
    received_at timestamptz NOT NULL DEFAULT now(),
    payload     bytea NOT NULL,
    PRIMARY KEY (agent, epoch, number)
);
-- A device's readings by time.
CREATE INDEX rows_by_device ON rows (agent, device_id, read_at) WHERE device_id IS NOT NULL;

-- What is known of each device now. The last good readings stay when later ones fail; each has its own
-- date (by the hub's clock), and an older one never replaces a newer one.
CREATE TABLE devices (
    agent        bigint NOT NULL REFERENCES agents,
    device_id    text NOT NULL,
    host         text NOT NULL,
    range        text,
    manufacturer text,
    model        text,
    serial       text,
    mac          text,
    firmware     text,
    name         text,
    location     text,
    asset        text,
    first_at     timestamptz NOT NULL,
    tried_at     timestamptz NOT NULL,                    -- the latest attempt ...
    outcome      smallint NOT NULL,                       -- ... and what came of it
    reason       text,
    silent_since timestamptz,                             -- the first failure after the last answer
    full_at      timestamptz,                             -- complete readings
    "full"       bytea,
    supplies_at  timestamptz,                             -- readings of supplies, meters and status
    supplies     bytea,
    status_at    timestamptz,                             -- status polls
    status       bytea,
    partial_at   timestamptz,                             -- readings of any kind with parts missing
    partial      bytea,
    PRIMARY KEY (agent, device_id)
);

CREATE TABLE events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent       bigint NOT NULL REFERENCES agents,
    epoch       bytea NOT NULL,
    number      bigint NOT NULL,
    at          timestamptz,                              -- by the agent's clock
    name        text NOT NULL,
    text        text NOT NULL,
    device_id   text,
    details     jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX events_by_agent ON events (agent, id);

-- Stored rows that are not yet in the stream: one entry per report and epoch, deleted when published.
-- A set and not a cursor over rows, for transactions commit in another order than they take numbers.
CREATE TABLE unpublished (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent    bigint NOT NULL,
    epoch    bytea NOT NULL,
    numbers  bigint[] NOT NULL,
    tried_at timestamptz                                  -- a publisher began and did not finish
);
