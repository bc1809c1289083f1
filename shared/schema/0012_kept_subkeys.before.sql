-- Subkeys that outlive the master key they come from (decision 0030): they make the hashes in the
-- ledger and in api_keys, which no rotation can make anew. Empty until the first rotation.

CREATE TABLE kept_subkeys (
    purpose text  NOT NULL,
    sealed  bytea NOT NULL,  -- AES-GCM under the master key, bound to the purpose
    CONSTRAINT kept_subkeys_pkey PRIMARY KEY (purpose)
);
ALTER TABLE kept_subkeys ALTER COLUMN sealed SET STATISTICS 0;
ALTER TABLE api_keys
    ALTER COLUMN key_hash TYPE bytea,
    ALTER COLUMN sealed_key TYPE bytea,
    ALTER COLUMN key_hash SET STATISTICS 0,
    ALTER COLUMN sealed_key SET STATISTICS 0;
