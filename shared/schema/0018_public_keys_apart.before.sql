-- From here on public keys have command ids of their own (deploy/decisions/0039). Where older code
-- has served, `since` says when: until 30 days later what they asked before is known by its former id
-- too. A new installation has no row and no past.

CREATE TABLE public_keys_apart (
    since timestamptz NOT NULL
);
INSERT INTO public_keys_apart SELECT clock_timestamp() WHERE EXISTS (SELECT FROM apps);
