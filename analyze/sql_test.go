package analyze

import "testing"

func TestSQL(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"SELECT * FROM t WHERE id IN (1, 2, 3) AND n = 'x'", "select * from t where id in (<num>) and n = <str>"},
		{"select * from T where Id in (5) and N = 'it''s \\'x'", "select * from t where id in (<num>) and n = <str>"},
		{"INSERT INTO t (a, b) VALUES (1, 'a'), (2, 'b')", "insert into t (a, b) values (<num>)"},
		{"INSERT INTO t (a, b) VALUES ($1, $2)", "insert into t (a, b) values (<val>)"},
		{"slow query (1520 ms): UPDATE users SET name = ?, age = 5 WHERE id = $12 /* request=77 */", "slow query: update users set name = <val>, age = <num> where id = <val>"},
		{"DELETE FROM t -- by the cron job\nWHERE at < now()", "delete from t where at < now()"},
		{`query "SELECT a FROM users2 WHERE id = 5" Failed: Timeout`, `query "select a from users2 where id = <num>" failed: timeout`},
		{`query 'SELECT a FROM t1 WHERE id = 5' Failed`, `query 'select a from t1 where id = <num>' failed`},
		{`SELECT "u"."Name" FROM "users" "u" WHERE "u"."id" = 5`, `select "u"."name" from "users" "u" where "u"."id" = <num>`},
		{"SELECT a FROM logs_20240115 WHERE b = NULL", "select a from <id> where b = <bool>"},
		{"SELECT a FROM t WHERE b = 'cut o", "select a from t where b = <str>"},
		{"SELECT a FROM t /* cut o", "select a from t"},
		{"Please Select a Value", "Please Select a Value"},
		{"Update of Settings failed", "Update of Settings failed"},
		{"Delete the file from Disk", "Delete the file from Disk"},
	}
	for _, tt := range tests {
		if got, _ := masked(tt.in); got != tt.want {
			t.Errorf("masked(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}
