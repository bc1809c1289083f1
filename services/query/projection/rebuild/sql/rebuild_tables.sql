-- A rebuild under way: who of how many has come how far, and with which code.
CREATE TABLE rebuild (
    worker     int    NOT NULL,
    workers    int    NOT NULL,
    "position" bigint NOT NULL,
    code       text   NOT NULL,
    CONSTRAINT rebuild_pkey PRIMARY KEY (worker)
);
