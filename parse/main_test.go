package parse

import (
	"testing"

	"logflume/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
