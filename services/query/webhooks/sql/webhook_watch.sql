-- One moment: the log's position, whether there is any webhook, and the least that all have seen.
SELECT position,
       (SELECT min(since) FROM webhooks) AS since,
       EXISTS (SELECT FROM webhooks WHERE resend_after IS NOT NULL) AS is_resending
  FROM log_head
