-- Until when command ids that public keys had before the upgrade are known; no row: there are none.
SELECT max(since) + interval '30 days' AS known_until FROM public_keys_apart
