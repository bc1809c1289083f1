-- Nobody moves the checkpoint until this transaction ends; no row where the tables are history.
SELECT "position" FROM checkpoint WHERE epoch >= 0 FOR UPDATE
