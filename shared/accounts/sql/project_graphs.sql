-- $1 app: by which graph each of its projects' pages book; not those that do not say.
SELECT project_id, booking ->> 'graph' AS graph
  FROM projects
 WHERE app_id = $1
   AND booking ->> 'graph' IS NOT NULL
