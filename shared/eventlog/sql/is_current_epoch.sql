SELECT true
  FROM followers
 WHERE name = $1
   AND epoch = $2
   FOR SHARE
