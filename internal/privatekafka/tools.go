package privatekafka

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed java/Transactions.java
var transactions []byte

// Tool returns a command that runs a class of Kafka's, such as org.apache.kafka.tools.ConsoleProducer, or a Java source
// file, given by its path, on Kafka's class path. The caller starts it; it ends with ctx.
func (i Installation) Tool(ctx context.Context, program string, args ...string) *exec.Cmd {
	line := i.command([]string{"-Xmx256m"}, program, args...)
	return exec.CommandContext(ctx, line[0], line[1:]...)
}

// CommandLine returns the beginning of a line for the shell that runs a class of Kafka's.
func (i Installation) CommandLine(class string) string {
	return fmt.Sprintf("%s -cp '%s' %s", i.Java, filepath.Join(i.Dir, "*"), class)
}

// Transactions returns a command that writes to a topic in this many transactions of this many records, with Kafka's own
// client, and aborts every second one. Values are "committed t r" or "aborted t r", t and r counting transactions and
// the records of each from 0.
func (c *Cluster) Transactions(ctx context.Context, topic string, count, records int) (*exec.Cmd, error) {
	source := filepath.Join(c.dir, "Transactions.java")
	if err := os.WriteFile(source, transactions, 0o600); err != nil {
		return nil, err
	}
	return c.Installation.Tool(ctx, source,
		strings.Join(c.Brokers(), ","), topic, strconv.Itoa(count), strconv.Itoa(records)), nil
}
