-- $1 webhook, $2 app, $3 name, $4 url, $5 graph, $6 state, $7 sealed secret, $8 most an app may have.
INSERT INTO webhooks (webhook_id, app_id, name, url, graph, state, sealed_secret, since)
SELECT $1, $2, $3, $4, $5, $6, $7, position
  FROM log_head
 WHERE (SELECT count(*) FROM webhooks WHERE app_id = $2) < $8
RETURNING webhook_id
