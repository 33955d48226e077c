package main

import (
	"context"
	"fmt"

	"github.com/compose-spec/compose-go/v2/cli"
)

// checkCompose loads a Compose file as `docker compose config` does, with no variable set.
func checkCompose(ctx context.Context, path string) error {
	options, err := cli.NewProjectOptions([]string{path})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(project.Services) == 0 {
		return fmt.Errorf("%s: no services", path)
	}
	return nil
}
