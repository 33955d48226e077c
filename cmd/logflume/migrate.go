package main

import (
	"context"
	"fmt"
	"os"

	"logflume/schema"
)

type migrateCommand struct {
	configFlag
	databaseFlags
	waitFlag
	Schema string `help:"Schema that holds the tables; goes before database.schema of the configuration." placeholder:"NAME"`
	Print  bool   `help:"Print the SQL and touch no database." xor:"what"`
	Roles  bool   `help:"Also make the roles log_owner, log_writer and log_reader, and give them their rights." xor:"what"`
}

// Run brings the schema to this program's version.
func (c *migrateCommand) Run(ctx context.Context, p *program) error {
	f, err := loadConfig(c.Config, os.Environ())
	if err != nil {
		return err
	}
	name := f.Database.Schema
	if c.Schema != "" {
		if err := schema.CheckName(c.Schema); err != nil {
			return usageError(fmt.Sprintf("--schema: %v", err))
		}
		name = c.Schema
	}
	if c.Print {
		return schema.Print(p.stdout, name)
	}
	url, err := databaseURL(c.DatabaseURL, f)
	if err != nil {
		return err
	}
	var from, to int64
	err = patiently(ctx, c.Wait, p.log, func(ctx context.Context) error {
		var err error
		from, to, err = schema.Migrate(ctx, url, name)
		return err
	})
	if err != nil {
		return err
	}
	if from == to {
		fmt.Fprintf(p.stdout, "schema %s is at version %d, nothing to do\n", name, to)
	} else {
		fmt.Fprintf(p.stdout, "schema %s migrated from version %d to %d\n", name, from, to)
	}
	if !c.Roles {
		return nil
	}
	if err := patiently(ctx, c.Wait, p.log, func(ctx context.Context) error { return schema.Roles(ctx, url, name) }); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, "roles log_owner, log_writer and log_reader are there; give those two that log in a password")
	return nil
}
