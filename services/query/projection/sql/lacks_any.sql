-- Whether any of the relations $1 is not there.
SELECT EXISTS (SELECT FROM unnest($1::text[]) AS w(name) WHERE to_regclass(w.name) IS NULL)
