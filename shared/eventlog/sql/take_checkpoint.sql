SELECT checkpoint
  FROM followers
 WHERE name = $1
   AND epoch = $2
