package parse

import "testing"

func TestRoute(t *testing.T) {
	t.Parallel()
	f := func(path, want string) {
		t.Helper()
		dst := []byte("before")
		out, got := route(dst, path)
		if got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		if string(out[:len("before")]) != "before" {
			t.Errorf("%s: what dst held is now %q", path, out)
		}
	}
	f("", "")
	f("/", "/")
	f("/users", "/users")
	f("/users/", "/users/")
	f("/users/123", "/users/{n}")
	f("/users/123/", "/users/{n}/")
	f("/users/123/settings", "/users/{n}/settings")
	f("/users/123/orders/456", "/users/{n}/orders/{n}")
	f("/users/123?tab=4&x=/5", "/users/{n}")
	f("/users?id=5", "/users")
	f("/users#4", "/users")
	f("/cart;jsessionid=5AC6268DD8D4D5D1FDF5D41E9F2FD960", "/cart")
	f("/api/v1/users/me", "/api/v1/users/me")
	f("/api/v1.2/users/7", "/api/v1.2/users/{n}")
	f("/api/V2/x", "/api/V2/x")
	f("/orders/3f2504e0-4f89-11d3-9a0c-0305e82c3301/items", "/orders/{uuid}/items")
	f("/orders/3F2504E0-4F89-11D3-9A0C-0305E82C3301", "/orders/{uuid}")
	f("/shipments/9c0ffee9", "/shipments/{hex}")
	f("/shipments/deadbeef", "/shipments/deadbeef")
	f("/static/js/app.3f9a8b7c.js", "/static/js/app.{hex}.js")
	f("/static/chunk-42.css", "/static/chunk-{n}.css")
	f("/oauth2/token", "/oauth2/token")
	f("/s3/bucket/ipv4", "/s3/bucket/ipv4")
	f("/pay/cus_9s6XKzkNRiz8i3", "/pay/cus_{id}")
	f("/docs/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/docs/{id}")
	f("/mail/alice@example.com/inbox", "/mail/{email}/inbox")
	f("/@alice", "/@alice")
	f("/reports/2026-01-15", "/reports/{n}-{n}-{n}")
	f("/users/{id}/posts/5", "/users/{id}/posts/{n}")
	f("/users/:id2", "/users/:id2")
	f("/users/<int:id2>", "/users/<int:id2>")
	f("https://example.com:8443/v1/users/5?x=1", "/v1/users/{n}")
	f("http://example.com", "/")
	f("/proxy/http://example.com/5", "/proxy/http://example.com/{n}")
	f("users#show", "users#show")
	f("/pkg.v1.Service/Method", "/pkg.v1.Service/Method")
	f("//5//6", "//{n}//{n}")
	f("/größe/5", "/größe/{n}")
	f("/größe12größe34", "/größe12größe34")
}

func TestRouteOfManyIsOne(t *testing.T) {
	t.Parallel()
	var scratch []byte
	for _, path := range []string{"/users/1", "/users/22", "/users/333?x", "/users/4444#y"} {
		var got string
		if scratch, got = route(scratch, path); got != "/users/{n}" {
			t.Errorf("%s: %s", path, got)
		}
	}
}
