package pipeline

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestBudgetGrantsInOrderOfRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		take(t, b, 60)
		granted := make(chan int64, 2)
		for _, n := range []int64{90, 20} { // the small one would fit, but the large one asked first
			go func() {
				if b.Acquire(t.Context(), n) == nil {
					granted <- n
				}
			}()
			synctest.Wait()
		}
		if len(granted) != 0 {
			t.Fatalf("granted %d with 60 of 100 bytes in flight and a request of 90 waiting", <-granted)
		}
		b.Charge(-60)
		if first := <-granted; first != 90 {
			t.Fatalf("granted %d first", first)
		}
		b.Charge(-90)
		if second := <-granted; second != 20 || b.Used() != 20 {
			t.Fatalf("granted %d, used %d", second, b.Used())
		}
	})
}

func TestBudgetAbandonedRequestLetsOthersThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		take(t, b, 60)
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error)
		go func() { gaveUp <- b.Acquire(ctx, 90) }()
		synctest.Wait()
		granted := make(chan error)
		go func() { granted <- b.Acquire(t.Context(), 40) }()
		synctest.Wait()
		cancel()
		if err := <-gaveUp; !errors.Is(err, context.Canceled) {
			t.Fatalf("abandoned request returned %v", err)
		}
		if err := <-granted; err != nil {
			t.Fatal(err)
		}
		if b.Used() != 100 {
			t.Fatalf("%d bytes in flight, want 100", b.Used())
		}
	})
}

func TestBudgetGrantsMoreThanAllWhenIdle(t *testing.T) {
	b := NewBudget(100)
	take(t, b, 1000)
	if b.Used() != 1000 {
		t.Fatalf("used %d", b.Used())
	}
}

func TestBudgetOverdraftDelaysTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		take(t, b, 50)
		b.Charge(70)
		granted := make(chan error, 1)
		go func() { granted <- b.Acquire(t.Context(), 30) }()
		synctest.Wait()
		if len(granted) != 0 {
			t.Fatal("granted while overdrawn")
		}
		b.Charge(-50)
		if err := <-granted; err != nil || b.Used() != 100 {
			t.Fatalf("error %v, used %d", err, b.Used())
		}
	})
}

func take(t *testing.T, b *Budget, n int64) {
	t.Helper()
	if err := b.Acquire(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}
