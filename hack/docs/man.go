package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/meshctl/meshctl/internal/commands"
)

// writeManual writes a manual page for each command. Their date is that of
// SOURCE_DATE_EPOCH, in seconds since 1970, so that the same source gives the
// same pages.
func writeManual(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("create the directory of the manual: %w", err)
	}
	if err := removeOld(filepath.Join(dir, "*.1")); err != nil {
		return err
	}
	date := time.Unix(0, 0).UTC()
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return fmt.Errorf("invalid SOURCE_DATE_EPOCH: %w", err)
		}
		date = time.Unix(seconds, 0).UTC()
	}
	root := commands.Tree()
	prepareManual(root)
	header := &doc.GenManHeader{Section: "1", Date: &date, Source: "meshctl", Manual: "meshctl manual"}
	if err := doc.GenManTree(root, header, dir); err != nil {
		return fmt.Errorf("write the manual: %w", err)
	}
	return nil
}

// prepareManual writes help texts in the way that the generator of manual pages
// reads them.
func prepareManual(cmd *cobra.Command) {
	if cmd.Long != "" {
		cmd.Long = paragraphs(cmd.Long)
	}
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		value, text := pflag.UnquoteUsage(flag)
		if hasDefault(flag) {
			text += " (default " + flag.DefValue + ")"
		}
		switch flag.Value.Type() {
		case "bool":
			value = "true|false"
		case "count":
			value = "NUMBER"
		}
		// The generator prints the default as if it were the value's name.
		flag.Usage, flag.DefValue, flag.Value = inText(text), value, valueName{flag.Value}
	})
	for _, child := range cmd.Commands() {
		prepareManual(child)
	}
}

// valueName is a flag's value that the generator does not put in quotes.
type valueName struct{ pflag.Value }

// Type implements pflag.Value.
func (valueName) Type() string { return "value" }
