"""The statements that store a report; what varies is always an argument."""

from __future__ import annotations

__all__ = [
    "AGENT",
    "AGENT_BEFORE",
    "CLONE",
    "DEVICES",
    "EVENTS",
    "PRESENT",
    "ROWS",
    "TASKS_TOLD",
    "TASKS_UPDATE",
    "TASK_EVENTS",
    "UNPUBLISHED",
]

# The lock puts the reports of one agent in a row.
AGENT_BEFORE = """
SELECT id, revoked_at, revoked_reason, instance, audit_number, audit_hash, audit_broken_at, clone_seen_at,
    (SELECT c.replaced_at FROM certificates c WHERE c.serial = $2 AND c.agent = a.id) AS replaced_at
FROM agents a WHERE agent_id = $1 FOR UPDATE
"""
AGENT = """
UPDATE agents SET
    version = $2, hostname = $3, platform = $4, started_at = $5, devices = $6, devices_answering = $7, backlog = $8,
    clock_offset_s = $9, last_report_at = greatest(last_report_at, $10), policy = $11::jsonb, channel = $12,
    audit_number = $13, audit_hash = $14, audit_broken_at = $15, clone_seen_at = $16, instance = $17
WHERE id = $1
"""
ROWS = """
INSERT INTO rows (agent, epoch, number, kind, crc32, device_id, read_at, read_kind, outcome, received_at, payload)
SELECT $1, epoch, number, kind, crc32, device_id, read_at, read_kind, outcome, $2, payload
FROM unnest($3::bytea[], $4::bigint[], $5::smallint[], $6::bigint[], $7::text[], $8::timestamptz[], $9::smallint[],
            $10::smallint[], $11::bytea[])
  AS new (epoch, number, kind, crc32, device_id, read_at, read_kind, outcome, payload)
ON CONFLICT DO NOTHING
RETURNING epoch, number
"""
PRESENT = """
SELECT r.epoch, r.number, r.crc32
FROM rows r JOIN unnest($2::bytea[], $3::bigint[]) AS asked (epoch, number) USING (epoch, number)
WHERE r.agent = $1
"""
EVENTS = """
INSERT INTO events (agent, epoch, number, at, name, text, device_id, details, received_at)
SELECT $1, epoch, number, at, name, text, device_id, details::jsonb, $2
FROM unnest($3::bytea[], $4::bigint[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::text[])
  AS new (epoch, number, at, name, text, device_id, details)
"""
# An attempt that is older than the known one changes nothing of the present state, and an older reading never
# replaces a newer one. A failure keeps the date of the first failure since the last answer.
DEVICES = """
INSERT INTO devices AS d (
    agent, device_id, first_at, tried_at, host, range, outcome, reason, silent_since,
    manufacturer, model, serial, mac, firmware, name, location, asset,
    full_at, "full", supplies_at, supplies, status_at, status, partial_at, partial)
SELECT $1, new.*
FROM unnest(
    $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::smallint[], $8::text[],
    $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
    $17::text[], $18::timestamptz[], $19::bytea[], $20::timestamptz[], $21::bytea[], $22::timestamptz[],
    $23::bytea[], $24::timestamptz[], $25::bytea[]) AS new
ON CONFLICT (agent, device_id) DO UPDATE SET
    first_at = least(d.first_at, excluded.first_at),
    tried_at = greatest(d.tried_at, excluded.tried_at),
    host = CASE WHEN excluded.tried_at >= d.tried_at THEN excluded.host ELSE d.host END,
    range = CASE WHEN excluded.tried_at >= d.tried_at THEN coalesce(excluded.range, d.range) ELSE d.range END,
    outcome = CASE WHEN excluded.tried_at >= d.tried_at THEN excluded.outcome ELSE d.outcome END,
    reason = CASE WHEN excluded.tried_at >= d.tried_at THEN excluded.reason ELSE d.reason END,
    silent_since = CASE
        WHEN excluded.tried_at < d.tried_at THEN d.silent_since
        WHEN excluded.silent_since IS NULL THEN NULL
        WHEN coalesce(excluded.full_at, excluded.supplies_at, excluded.status_at, excluded.partial_at) IS NOT NULL
            THEN excluded.silent_since
        ELSE coalesce(d.silent_since, excluded.silent_since) END,
    manufacturer = CASE WHEN excluded.tried_at >= d.tried_at
        THEN coalesce(excluded.manufacturer, d.manufacturer) ELSE coalesce(d.manufacturer, excluded.manufacturer) END,
    model = CASE WHEN excluded.tried_at >= d.tried_at
        THEN coalesce(excluded.model, d.model) ELSE coalesce(d.model, excluded.model) END,
    serial = CASE WHEN excluded.tried_at >= d.tried_at
        THEN coalesce(excluded.serial, d.serial) ELSE coalesce(d.serial, excluded.serial) END,
    mac = CASE WHEN excluded.tried_at >= d.tried_at
        THEN coalesce(excluded.mac, d.mac) ELSE coalesce(d.mac, excluded.mac) END,
    firmware = CASE WHEN excluded.tried_at >= d.tried_at
        THEN coalesce(excluded.firmware, d.firmware) ELSE coalesce(d.firmware, excluded.firmware) END,
    name = CASE WHEN excluded.tried_at >= d.tried_at
        THEN coalesce(excluded.name, d.name) ELSE coalesce(d.name, excluded.name) END,
    location = CASE WHEN excluded.tried_at >= d.tried_at
        THEN coalesce(excluded.location, d.location) ELSE coalesce(d.location, excluded.location) END,
    asset = CASE WHEN excluded.tried_at >= d.tried_at
        THEN coalesce(excluded.asset, d.asset) ELSE coalesce(d.asset, excluded.asset) END,
    "full" = CASE WHEN excluded.full_at >= coalesce(d.full_at, '-infinity')
        THEN excluded."full" ELSE d."full" END,
    full_at = greatest(d.full_at, excluded.full_at),
    supplies = CASE WHEN excluded.supplies_at >= coalesce(d.supplies_at, '-infinity')
        THEN excluded.supplies ELSE d.supplies END,
    supplies_at = greatest(d.supplies_at, excluded.supplies_at),
    status = CASE WHEN excluded.status_at >= coalesce(d.status_at, '-infinity')
        THEN excluded.status ELSE d.status END,
    status_at = greatest(d.status_at, excluded.status_at),
    partial = CASE WHEN excluded.partial_at >= coalesce(d.partial_at, '-infinity')
        THEN excluded.partial ELSE d.partial END,
    partial_at = greatest(d.partial_at, excluded.partial_at)
"""
UNPUBLISHED = """
INSERT INTO unpublished (agent, epoch, numbers) VALUES ($1, $2, $3)
"""
CLONE = "UPDATE agents SET clone_seen_at = $2 WHERE id = $1"
TASKS_TOLD = """
SELECT id, state_at, state_row, state, state_by_hub FROM tasks
WHERE agent = $1 AND id = ANY($2) ORDER BY number FOR UPDATE
"""
TASKS_UPDATE = """
UPDATE tasks t SET
    state_at = new.at, state_row = new.number, state = new.state, text = new.text, code = new.code,
    result = coalesce(new.result::jsonb, t.result), state_by_hub = false, told_at = $1,
    handed_at = coalesce(t.handed_at, $1)
FROM unnest($2::uuid[], $3::timestamptz[], $4::bigint[], $5::smallint[], $6::text[], $7::text[], $8::text[])
  AS new (task, at, number, state, text, code, result)
WHERE t.id = new.task
"""
TASK_EVENTS = """
INSERT INTO task_events (task, at, received_at, state, text, code, by)
SELECT task, at, $1, state, text, code, by
FROM unnest($2::uuid[], $3::timestamptz[], $4::smallint[], $5::text[], $6::text[], $7::text[])
  AS new (task, at, state, text, code, by)
"""
