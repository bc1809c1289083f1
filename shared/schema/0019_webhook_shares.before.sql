-- What is being sent now, of each webhook: counted at every look at what is due, so that an app has
-- its share at most (decision 0041).
CREATE INDEX webhook_deliveries_leased_idx ON webhook_deliveries (webhook_id, leased_until)
    WHERE status = 'waiting' AND leased_until IS NOT NULL;
