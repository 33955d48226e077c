# `make` or `make help` lists the targets. The comment after ## is what it shows.

GO         ?= go
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null)
PACKAGES   ?= ./...
FUZZTIME   ?= 30s
DEMO_SECONDS ?=
DEMO_KAFKA ?=
CHAOS      ?=
CHAOS_RESULTS := $(CURDIR)/bin/chaos.jsonl

LINTER := $(GO) tool -modfile=tools/go.mod golangci-lint

# The race detector needs a C compiler; without one the tests run without it, and say so.
RACE = $(shell tools/setup.sh race)

.DEFAULT_GOAL := help
.PHONY: help build fmt vet lint docs test race fuzz bench speed dashboards files accuracy chaos demo kafka check clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/logflume
	$(GO) build -trimpath -ldflags '-X main.release=$(VERSION)' -o bin/logflume ./cmd/logflume

fmt: ## format all Go files
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')

vet: ## run go vet
	$(GO) vet ./...

lint: ## check format, modules, code, and what is in deploy/, with the programs that tools/ pins
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) mod tidy -diff
	$(GO) mod verify
	$(LINTER) run ./...
	$(GO) run -C tools/manifests . $(CURDIR)/deploy

docs: ## write the reference in docs/configuration.md and the list of metrics anew from the code
	$(GO) test ./cmd/logflume -run 'TestConfigurationReference|TestMetricNames' -update

test: ## run all tests once, with the race detector, against a private PostgreSQL and Kafka
	@tools/setup.sh postgres python java kcat logrotate promtool
	$(GO) test $(RACE) -p 2 -timeout 14m $(PACKAGES)

race: ## run all tests three times with the race detector, on 1, 2 and 4 processors
	@tools/setup.sh postgres python java kcat logrotate promtool
	$(GO) test -race -cpu 1,2,4 -p 1 -timeout 60m $(PACKAGES)

fuzz: ## run every fuzz target for FUZZTIME (30s)
	@tools/setup.sh postgres
	@$(GO) list $(PACKAGES) | while read -r package; do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
	  done; \
	done

bench: ## run all benchmarks
	@tools/setup.sh postgres
	$(GO) test -run '^$$' -bench . -benchmem -p 1 $(PACKAGES)

speed: ## time import of CORPUS=FILE against the server's own COPY of the same rows; SPEED=-kafka reads a topic
	@tools/setup.sh postgres $(if $(findstring -kafka,$(SPEED)),java kcat)
	@$(GO) build -trimpath -o bin/logflume ./cmd/logflume
	@$(GO) run ./internal/speed -logflume bin/logflume -corpus "$(CORPUS)" $(SPEED)

dashboards: ## time the functions for dashboards over 30 days of windows; DASHBOARDS holds options
	@tools/setup.sh postgres
	@$(GO) run ./internal/dashboards $(DASHBOARDS)

files: ## measure 10,000 watched files, and fail where a figure misses its bar; FILES holds options
	@tools/setup.sh postgres
	@$(GO) build -trimpath -o bin/logflume ./cmd/logflume
	@$(GO) run ./internal/manyfiles -logflume bin/logflume $(FILES)

accuracy: ## compare quantiles and users with 5,000,000 raw events of 200 endpoints
	@tools/setup.sh postgres
	LOGFLUME_TEST_EVENTS=5000000 $(GO) test -v -count=1 -timeout 60m -run TestFiguresAreAccurate ./schema

chaos: ## prove exactly-once in full size: real writers, rotation, topics, kill -9, crashing PostgreSQL and brokers; CHAOS holds options of go test
	@tools/setup.sh postgres python java kcat logrotate
	@mkdir -p bin && rm -f $(CHAOS_RESULTS)
	@LOGFLUME_CHAOS=full LOGFLUME_CHAOS_RESULTS=$(CHAOS_RESULTS) $(GO) test -v -count=1 -timeout 90m ./internal/chaos $(CHAOS); \
	status=$$?; $(GO) run ./internal/chaos/table $(CHAOS_RESULTS); exit $$status

demo: ## show everything on this machine; DEMO_SECONDS=20 ends it by itself, DEMO_KAFKA=1 has the lines go through Kafka
	@tools/setup.sh postgres $(if $(DEMO_KAFKA),java)
	@$(GO) build -o bin/logflume ./cmd/logflume
	@bin/logflume demo $(if $(DEMO_SECONDS),--for $(DEMO_SECONDS)s) $(if $(DEMO_KAFKA),--kafka)

kafka: ## run a Kafka broker for development on 127.0.0.1:9092 until Ctrl-C
	@tools/setup.sh java
	@$(GO) build -o bin/kafka ./internal/privatekafka/run
	@exec bin/kafka

check: ## what continuous integration runs: lint and test
	.ci/run

clean: ## remove what was built
	rm -rf bin
