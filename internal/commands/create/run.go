package create

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe/impact"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// authored is the state between the steps of one run.
type authored[I any, O render.Object] struct {
	// world is what exists, nil if it was not loaded; before is its evaluation.
	world  *world.World
	before *policy.Result
	// base is the resource to start from, nil for an empty one.
	base     *O
	resource O

	// home is the namespace of meshctl's resources, and listed are the others from which
	// policies take effect; reachErr says why these are not known. home is empty if they
	// do not matter.
	home     string
	listed   []string
	reachErr error

	// fails says that the last impact had an error about the resource itself.
	fails bool

	// answered says that the user answered a question; open are the parts that were
	// not asked about before an interrupt.
	answered bool
	open     []string
}

func (o *options[I, O]) run(ctx context.Context) error {
	a, incomplete, err := o.begin(ctx)
	if err != nil {
		return errors.Join(err, incomplete)
	}
	if o.asks(a) {
		err = o.runInteractively(ctx, a)
	} else {
		err = o.runUnattended(ctx, a)
	}
	return errors.Join(err, incomplete)
}

// begin loads the world and the base and parses the flags. All mistakes are
// reported together. The first error says that the world is incomplete, which does
// not prevent the creation.
func (o *options[I, O]) begin(ctx context.Context) (a *authored[I, O], incomplete, err error) {
	a = &authored[I, O]{}
	errs := []error{o.checkNames()}
	if o.needsWorld() {
		var usage *cli.UsageError
		incomplete, err = o.loadWorld(ctx, a)
		switch {
		case errors.As(err, &usage): // more may be wrong with the command line
			errs = append(errs, err)
		case err != nil:
			return a, nil, err
		}
	}
	if o.from != "" {
		if err := o.readBase(ctx, a); err != nil {
			return a, incomplete, err
		}
	}
	built := o.build(a)
	if built == nil && a.world == nil && o.asks(a) && errors.Join(errs...) == nil {
		// The flags leave something open, and questions offer what exists.
		var usage *cli.UsageError
		incomplete, err = o.loadWorld(ctx, a)
		if errors.As(err, &usage) { // complete flags would do without a cluster
			return a, nil, errors.Join(o.missingErrors(a), err)
		}
		if err != nil {
			return a, nil, err
		}
		built = o.build(a)
	}
	errs = append(errs, cmdutil.UsageErrors(built))
	if o.interactive && !o.streams.CanPrompt() {
		errs = append(errs, cli.Usagef("not a terminal: --interactive needs one for standard input and output, without --no-input"))
	}
	if built == nil && !o.asks(a) {
		errs = append(errs, o.missingErrors(a))
	}
	if err := errors.Join(errs...); err != nil {
		return a, incomplete, err
	}
	return a, incomplete, nil
}

// loadWorld loads what exists. The first error says that it is incomplete. The
// management cluster must be readable: without it, every name would be unknown, and
// what is created could not be written.
func (o *options[I, O]) loadWorld(ctx context.Context, a *authored[I, O]) (incomplete, err error) {
	if a.world, err = o.load(ctx, o.world, o.streams.In); err != nil {
		return nil, err
	}
	if err := o.world.Unread(); err != nil {
		return nil, err
	}
	if o.applies() { // a manifest may be for another cluster, and counts with --filename
		a.home, a.listed, a.reachErr = o.policyNamespaces(ctx)
	}
	return cmdutil.ReportProblems(o.streams, a.world), nil
}

// build makes the resource of the flags and the base.
func (o *options[I, O]) build(a *authored[I, O]) error {
	meta := render.Meta{Name: o.name, Namespace: o.namespace}
	if meta.Namespace == "" && (a.base == nil || (*a.base).GetNamespace() == "") {
		meta.Namespace = world.DefaultNamespace
	}
	names := render.Names{World: a.world, Namespace: cmp.Or(meta.Namespace, world.DefaultNamespace)}
	input, err := o.kind.Parse(o.arguments, names)
	if err != nil {
		return err
	}
	a.resource, err = o.kind.Build(meta, input, a.base)
	return err
}

// checkNames reports names on the command line that no resource can have.
func (o *options[I, O]) checkNames() error {
	var errs []error
	if o.name != "" {
		if err := render.CheckName(o.name); err != nil {
			errs = append(errs, cli.Usagef("invalid name %q: %w", o.name, err))
		}
	}
	if o.namespace != "" {
		if err := render.CheckNamespace(o.namespace); err != nil {
			errs = append(errs, cli.Usagef("invalid --namespace %q: %w", o.namespace, err))
		}
	}
	return errors.Join(errs...)
}

// needsWorld reports whether to load what exists before the flags are read. With
// complete flags, a client dry run and --save work without a cluster unless the
// user names one.
func (o *options[I, O]) needsWorld() bool {
	local := o.dryRun.String() == dryRunClient || o.save != ""
	return !local || o.interactive || o.world.OnTop || !o.world.FromManagement()
}

// readBase reads the manifest that --from names.
func (o *options[I, O]) readBase(ctx context.Context, a *authored[I, O]) error {
	label := o.from
	if o.from == "-" {
		label = "standard input"
	}
	text, err := readManifest(ctx, o.from, o.streams.In)
	if err != nil {
		return fmt.Errorf("cannot read --from: %w", err)
	}
	base, err := o.kind.Decode(validation.New(), text)
	if err != nil {
		return fmt.Errorf("--from %s: %w", label, err)
	}
	a.base = &base
	return nil
}

// asks reports whether questions are asked: with --interactive, or if something is
// missing on a terminal.
func (o *options[I, O]) asks(a *authored[I, O]) bool {
	return o.interactive || (len(o.missingParts(a)) > 0 && o.streams.CanPrompt())
}

// missingParts names the missing arguments and flags.
func (o *options[I, O]) missingParts(a *authored[I, O]) []string {
	var parts []string
	if a.resource.GetName() == "" {
		parts = append(parts, "NAME")
	}
	if missing := o.missing(a.resource); missing != "" && !o.editFirst {
		parts = append(parts, missing)
	}
	return parts
}

// missingErrors reports the missing arguments and flags.
func (o *options[I, O]) missingErrors(a *authored[I, O]) error {
	var errs []error
	for _, part := range o.missingParts(a) {
		errs = append(errs, cli.Usagef("missing: %s", part))
	}
	return errors.Join(errs...)
}

// runUnattended creates the resource of the flags without questions.
func (o *options[I, O]) runUnattended(ctx context.Context, a *authored[I, O]) error {
	if !o.editFirst {
		return o.create(ctx, a)
	}
	manifest, err := render.Manifest(a.resource)
	if err != nil {
		return err
	}
	edited, err := o.edit(ctx, manifest)
	if err == nil {
		err = o.acceptUnattended(ctx, a, edited.Text)
	}
	if err == nil {
		// The edited manifest is kept until the output is written.
		err = cmp.Or(o.create(ctx, a), o.streams.Flush())
	}
	if err != nil {
		edited.Keep(o.streams)
		return err
	}
	edited.Discard()
	return nil
}

// acceptUnattended accepts an edited manifest if it is valid and the user confirms
// the restrictions that it removes.
func (o *options[I, O]) acceptUnattended(ctx context.Context, a *authored[I, O], text []byte) error {
	edited, err := o.accept(a, text)
	if err != nil {
		return fmt.Errorf("the edited manifest is not valid: %w", err)
	}
	var prompter wizard.Prompter
	if o.streams.CanPrompt() {
		prompter = o.prompter(ctx)
	}
	if err := o.confirmWidening(prompter, a.resource, edited); err != nil {
		return err
	}
	a.resource = edited
	return nil
}

// create validates the resource and applies, saves or prints it. It fails if the
// resource is INVALID or not effective on a Destination that it selects, which is
// printed before.
func (o *options[I, O]) create(ctx context.Context, a *authored[I, O]) error {
	if err := o.validate(a); err != nil {
		return err
	}
	o.printImpact(o.impactOn(a))
	if err := o.hand(ctx, a); err != nil {
		return err
	}
	return a.outcome()
}

// outcome fails if an error about the resource itself was reported.
func (a *authored[I, O]) outcome() error {
	if a.fails {
		return cli.ErrReported
	}
	return nil
}

// hand applies, saves or prints the resource.
func (o *options[I, O]) hand(ctx context.Context, a *authored[I, O]) error {
	if !o.applies() {
		return o.deliver(a, o.save)
	}
	if err := o.confirm(ctx, a); err != nil {
		return err
	}
	return o.apply(ctx, a)
}

// accept decodes an edited manifest and validates it.
func (o *options[I, O]) accept(a *authored[I, O], text []byte) (O, error) {
	resource, err := o.kind.Decode(validation.New(), text)
	if err != nil {
		return resource, err
	}
	edited := *a
	edited.resource = resource
	return resource, o.validate(&edited)
}

// validate checks the resource and that its name is not taken.
func (o *options[I, O]) validate(a *authored[I, O]) error {
	if err := render.Validate(validation.New(), a.resource); err != nil {
		return err
	}
	if taken := o.nameHolder(a, a.resource.GetName()); taken != "" {
		return fmt.Errorf("%s %s already exists: choose another name, or use --from FILE to change it", o.kind.Noun, taken)
	}
	return nil
}

// nameHolder returns the full name of another resource with the name, empty if there
// is none.
func (o *options[I, O]) nameHolder(a *authored[I, O], name string) string {
	if a.world == nil {
		return ""
	}
	namespace := a.resource.GetNamespace()
	if a.base != nil && (*a.base).GetName() == name && cmp.Or((*a.base).GetNamespace(), namespace) == namespace {
		return ""
	}
	for _, n := range o.existing(a.world) {
		if n.Name == name && n.Namespace == namespace {
			return n.Full()
		}
	}
	return ""
}

// impactOn returns the effect of the resource on the world, and notes whether an
// error is about the resource itself.
func (o *options[I, O]) impactOn(a *authored[I, O]) (lines []impact.Line) {
	if a.fails = false; a.world == nil {
		return []impact.Line{{Severity: finding.SeverityInfo, Text: "effect not known: add -f or --context to compare with existing resources"}}
	}
	joins := o.joining(a.world, a.resource, o.clock())
	lines = o.limitReach(a, &joins)
	after := policy.Evaluate(a.world.With(joins))
	kind := a.resource.GetObjectKind().GroupVersionKind().Kind
	effect := impact.Of(compare.ImpactOf(o.meaning(a), after, kind, a.resource.GetNamespace(), a.resource.GetName()))
	a.fails = effect.Fails()
	return append(lines, impact.Lines(effect)...)
}

// meaning returns the evaluation of the world, which is made once.
func (o *options[I, O]) meaning(a *authored[I, O]) *policy.Result {
	if a.before == nil {
		a.before = policy.Evaluate(a.world)
	}
	return a.before
}

// printImpact reports the effect of the resource on standard error.
func (o *options[I, O]) printImpact(lines []impact.Line) {
	for _, line := range lines {
		o.streams.Paragraph(levelOf(line.Severity), "%s", line.Text)
	}
}

func levelOf(severity finding.Severity) cli.Level {
	switch severity {
	case finding.SeverityError:
		return cli.LevelError
	case finding.SeverityWarning:
		return cli.LevelWarning
	default:
		return cli.LevelInfo
	}
}

// deliver prints the manifest, or saves it to the file if that is not empty.
func (o *options[I, O]) deliver(a *authored[I, O], file string) error {
	if file != "" {
		return o.saveTo(a, file, o.overwrite)
	}
	return output.Print(o.streams, cmp.Or(o.format.Format(), output.FormatYAML), o.view(a))
}

// view returns the resource in all forms.
func (o *options[I, O]) view(a *authored[I, O]) view.View {
	return view.View{
		Document: view.Value(view.Encoded{
			JSON: func() ([]byte, error) { return render.ManifestJSON(a.resource) },
			YAML: func() ([]byte, error) { return render.Manifest(a.resource) },
		}),
		Table: view.Rows(view.Table{
			Columns: view.Columns("KIND", "NAMESPACE", "NAME"),
			Rows:    [][]string{{a.resource.GetObjectKind().GroupVersionKind().Kind, a.resource.GetNamespace(), a.resource.GetName()}},
		}),
		Names: view.NameEach([]O{a.resource}, func(resource *O) string { return resourceName(*resource) }),
	}
}

// saveTo writes the manifest to a file, which must be new unless overwrite is
// set.
func (o *options[I, O]) saveTo(a *authored[I, O], file string, overwrite bool) error {
	encode := render.Manifest
	if o.format.String() == "json" {
		encode = render.ManifestJSON
	}
	manifest, err := encode(a.resource)
	if err != nil {
		return err
	}
	if err := cmdutil.SaveFile(file, manifest, overwrite); err != nil {
		return err
	}
	o.streams.Say("%s saved to %s", resourceName(a.resource), file)
	if format := o.format.Format(); format == output.FormatName || format.ForPeople() {
		return output.Print(o.streams, format, o.view(a))
	}
	return nil
}

// draft returns the draft for the questions, which skip what flags set already.
func (o *options[I, O]) draft(a *authored[I, O]) *wizard.Draft[I] {
	return &wizard.Draft[I]{
		Name: a.resource.GetName(), Namespace: a.resource.GetNamespace(), Input: o.kind.Input(a.resource),
		Given: func(flag string) bool {
			field := o.kind.Field(flag)
			return field != nil && slices.ContainsFunc(o.arguments, func(g render.Argument) bool { return g.Name == flag })
		},
	}
}
