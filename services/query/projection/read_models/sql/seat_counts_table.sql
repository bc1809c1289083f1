-- One narrow row a group, written by each of its events; `version` is how far it is projected.

CREATE TABLE seat_counts (
    group_id      uuid   NOT NULL,
    version       bigint NOT NULL,
    "position"    bigint NOT NULL,
    current_seats int    NOT NULL,
    max_seats     int    NOT NULL,
    CONSTRAINT seat_counts_pkey PRIMARY KEY (group_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
