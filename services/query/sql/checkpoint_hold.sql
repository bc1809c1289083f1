-- Nobody moves the checkpoint until this transaction ends.
SELECT "position" FROM checkpoint FOR UPDATE
