SELECT purpose, sealed FROM kept_subkeys
