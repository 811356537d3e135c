-- What the hub asks of agents, and the whole story of each task.

CREATE TABLE tasks (
    id           uuid PRIMARY KEY,
    agent        bigint NOT NULL REFERENCES agents,
    number       bigint NOT NULL,                         -- counts up per agent
    kind         text NOT NULL,
    parameters   jsonb NOT NULL,
    device_id    text,                                    -- of the agent's devices; null where it concerns none
    requested_by text NOT NULL,
    role         text NOT NULL,
    reason       text NOT NULL,
    issued_at    timestamptz NOT NULL,
    not_before   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    body         bytea NOT NULL,                          -- the signed bytes, dca.v1.TaskBody
    signature    bytea NOT NULL CHECK (octet_length(signature) = 64),
    cancels      uuid REFERENCES tasks,                   -- of kind cancel: the task that it ends
    handed_at    timestamptz,                             -- from here on the agent may have it
    state        smallint NOT NULL DEFAULT 0,             -- dca.v1.TaskState; 0: the agent has not told of it yet
    state_at     timestamptz,                             -- by the agent's clock, as its results say
    state_row    bigint,                                  -- the number of the row that told it
    state_by_hub boolean NOT NULL DEFAULT false,          -- the hub's own finding: the agent knows better
    told_at      timestamptz,                             -- when the hub heard of the state, by its own clock
    text         text NOT NULL DEFAULT '',
    code         text NOT NULL DEFAULT '',
    result       jsonb,
    UNIQUE (agent, number)
);
-- What an agent has to be handed, and what has to be published at once.
CREATE INDEX tasks_open ON tasks (agent, number) WHERE state = 0;
CREATE INDEX tasks_unhanded ON tasks (issued_at) WHERE state = 0 AND handed_at IS NULL;
-- What may have to expire: open or waiting.
CREATE INDEX tasks_unbegun ON tasks (expires_at) WHERE state IN (0, 2);
CREATE INDEX tasks_by_time ON tasks (issued_at, id);
CREATE INDEX tasks_by_device ON tasks (agent, device_id, issued_at);
CREATE INDEX tasks_by_cancelled ON tasks (cancels) WHERE cancels IS NOT NULL;

CREATE TABLE task_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task        uuid NOT NULL REFERENCES tasks,
    at          timestamptz,                              -- by the clock of who tells it
    received_at timestamptz NOT NULL,
    state       smallint NOT NULL,                        -- dca.v1.TaskState; 0: it was asked for
    text        text NOT NULL,
    code        text NOT NULL,
    by          text NOT NULL                             -- a person, "hub" or "agent"
);
CREATE INDEX task_events_by_task ON task_events (task, id);
