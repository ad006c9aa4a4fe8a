package output_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

// printedAt returns what a terminal of a width gets; 0 is no terminal.
func printedAt(t *testing.T, width int, format output.Format, v view.View) string {
	t.Helper()
	var out bytes.Buffer
	if err := (output.Printer{Out: &out, Width: width}).Print(format, v); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// meshTable has columns of all kinds.
func meshTable() view.Table {
	table := view.Table{Noun: "mesh", Columns: []view.Column{
		{Name: "NAMESPACE"},
		{Name: "NAME"},
		{Name: "CLUSTER"},
		{Name: "TYPE", Priority: 3},
		{Name: "VERSION", Priority: 2},
		{Name: "PORTS", Content: view.ItemList, Shown: 4, Priority: 1},
		{Name: "FIELDS", Content: view.Prose},
		{Name: "ROOT", Wide: true},
	}}
	ports := view.Items([]string{"80/HTTP", "443/TLS", "15021/HTTP", "15443/TLS", "9090/TCP"})
	table.Add("gloo-mesh", "istiod-istio-system-east", "east", "ISTIO", "1.31.0", ports, "timeout, retries and mirror of all requests", "istio-system")
	table.Add("gloo-mesh", "linkerd-日本-café", "cluster-日本", "LINKERD", "<none>", view.Items(nil), "<none>", "linkerd")
	return table
}

func TestTableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	v := view.View{Table: view.Rows(meshTable())}
	for _, tt := range []struct {
		width  int
		format output.Format
		want   string
	}{
		{0, output.FormatTable, `
NAMESPACE   NAME                       CLUSTER        TYPE      VERSION   PORTS                                                FIELDS
gloo-mesh   istiod-istio-system-east   east           ISTIO     1.31.0    80/HTTP, 443/TLS, 15021/HTTP, 15443/TLS and 1 more   timeout, retries and mirror of all requests
gloo-mesh   linkerd-日本-café          cluster-日本   LINKERD   <none>    <none>                                               <none>
`},
		{200, output.FormatTable, `
NAMESPACE   NAME                       CLUSTER        TYPE      VERSION   PORTS                                                FIELDS
gloo-mesh   istiod-istio-system-east   east           ISTIO     1.31.0    80/HTTP, 443/TLS, 15021/HTTP, 15443/TLS and 1 more   timeout, retries and mirror of all requests
gloo-mesh   linkerd-日本-café          cluster-日本   LINKERD   <none>    <none>                                               <none>
`},
		{120, output.FormatTable, `
NAMESPACE   NAME                       CLUSTER        VERSION   PORTS                FIELDS
gloo-mesh   istiod-istio-system-east   east           1.31.0    80/HTTP and 4 more   timeout, retries and mirror of...
gloo-mesh   linkerd-日本-café          cluster-日本   <none>    <none>               <none>
1 column hidden (TYPE); use -o wide or a wider terminal
`},
		{100, output.FormatTable, `
NAMESPACE   NAME                       CLUSTER        FIELDS
gloo-mesh   istiod-istio-system-east   east           timeout, retries and mirror of all requests
gloo-mesh   linkerd-日本-café          cluster-日本   <none>
3 columns hidden (TYPE, VERSION, PORTS); use -o wide or a wider terminal
`},
		{80, output.FormatTable, `
NAMESPACE   NAME                       CLUSTER        FIELDS
gloo-mesh   istiod-istio-system-east   east           timeout, retries and...
gloo-mesh   linkerd-日本-café          cluster-日本   <none>
3 columns hidden (TYPE, VERSION, PORTS); use -o wide or a wider terminal
`},
		{64, output.FormatTable, `
NAMESPACE   NAME                       CLUSTER        FIELDS
gloo-mesh   istiod-istio-system-east   east           timeout...
gloo-mesh   linkerd-日本-café          cluster-日本   <none>
3 columns hidden (TYPE, VERSION, PORTS); use -o wide or a wider
  terminal
`},
		{60, output.FormatTable, `
NAMESPACE   NAME                       CLUSTER
gloo-mesh   istiod-istio-system-east   east
gloo-mesh   linkerd-日本-café          cluster-日本
4 columns hidden (TYPE, VERSION, PORTS, FIELDS); use -o wide
  or a wider terminal
`},
		{40, output.FormatTable, `
NAMESPACE   NAME            CLUSTER
gloo-mesh   istiod-ist...   east
gloo-mesh   linkerd-日...   cluster-日本
4 columns hidden (TYPE, VERSION, PORTS,
  FIELDS); use -o wide or a wider
  terminal
`},
		{80, output.FormatWide, `
NAMESPACE   NAME                       CLUSTER        TYPE      VERSION   PORTS                                               FIELDS                                        ROOT
gloo-mesh   istiod-istio-system-east   east           ISTIO     1.31.0    80/HTTP, 443/TLS, 15021/HTTP, 15443/TLS, 9090/TCP   timeout, retries and mirror of all requests   istio-system
gloo-mesh   linkerd-日本-café          cluster-日本   LINKERD   <none>    <none>                                              <none>                                        linkerd
`},
	} {
		t.Run(fmt.Sprint(tt.format, tt.width), func(t *testing.T) {
			t.Parallel()
			got := printedAt(t, tt.width, tt.format, v)
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestNothingIsWiderThanTheTerminal goes through all widths that people have.
func TestNothingIsWiderThanTheTerminal(t *testing.T) {
	t.Parallel()
	table := meshTable()
	table.Columns = append(table.Columns, view.Column{Name: "WHY", Content: view.Reason, Priority: 1})
	for i := range table.Rows {
		table.Rows[i] = append(table.Rows[i][:8:8], "the control plane of this mesh has had another root CA since yesterday, and cafe\u0301 日本 follows")
	}
	v := view.View{Text: view.Lines(func(t *view.Text) {
		t.Fields([]view.Field{
			{Key: "Name", Value: "a"},
			{Key: "Virtual Mesh", Value: "shared.gloo-mesh (ACCEPTED, trust SHARED, global access policy ENABLED, TLS enforcement STRICT)", State: view.Word{Text: "ACCEPTED", Tone: view.Good}},
		})
		t.Section("Meshes", false, func() {
			t.Table(table)
			t.Section("Deeper", false, func() { t.Table(table) })
		})
		t.Marked(view.Word{Text: "rejected", Tone: view.Bad}, " "+table.Rows[0][8])
	})}
	whole := printedAt(t, 0, output.FormatTable, v) + " and 1 2 3 4 5 more column columns hidden (TYPE, VERSION, PORTS, FIELDS); (TYPE, VERSION, PORTS); (TYPE, VERSION); (TYPE); use -o wide or a wider terminal"
	ours := strings.NewReplacer("2 meshes: ", "")
	for width := 46; width <= 220; width++ {
		shown := printedAt(t, width, output.FormatTable, v)
		for line := range strings.Lines(shown) {
			if got := text.Width(strings.TrimSuffix(line, "\n")); got > width {
				t.Errorf("a line has %d columns on a terminal of %d: %s", got, width, line)
			}
		}
		for _, word := range strings.Fields(ours.Replace(shown)) {
			if !strings.Contains(whole, word) && !strings.HasSuffix(word, "...") {
				t.Errorf("at %d columns, %q is cut without a mark:\n%s", width, word, shown)
			}
		}
	}
}

func TestUnknownColumnsAreHiddenFirst(t *testing.T) {
	t.Parallel()
	table := view.Table{Columns: []view.Column{{Name: "NAME"}, {Name: "STATE"}, {Name: "WRITTEN", Priority: 1}, {Name: "FIELDS", Content: view.ItemList}, {Name: "SOURCES", Priority: 2}}}
	table.Add("productpage-to-reviews-east", "EFFECTIVE", view.Unknown, "connectionPoolSettings", "1")
	table.Add("productpage-to-reviews-west", "EFFECTIVE", view.Unknown, "retries", "1")
	for _, tt := range []struct {
		name, written string
		width         int
		want          string
	}{
		{"columns without anything known are hidden first", view.Unknown, 80, `
NAME                          STATE       FIELDS                   SOURCES
productpage-to-reviews-east   EFFECTIVE   connectionPoolSettings   1
productpage-to-reviews-west   EFFECTIVE   retries                  1
1 column hidden (WRITTEN); use -o wide or a wider terminal
`},
		{"others by their priority", "yes", 80, `
NAME                          STATE       WRITTEN   FIELDS
productpage-to-reviews-east   EFFECTIVE   yes       connectionPoolSettings
productpage-to-reviews-west   EFFECTIVE   yes       retries
1 column hidden (SOURCES); use -o wide or a wider terminal
`},
		{"names stay whole", "yes", 60, `
NAME                          STATE       FIELDS
productpage-to-reviews-east   EFFECTIVE   connectionPoolS...
productpage-to-reviews-west   EFFECTIVE   retries
2 columns hidden (WRITTEN, SOURCES); use -o wide or a wider
  terminal
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			table := table
			table.Rows = slices.Clone(table.Rows)
			for i := range table.Rows {
				table.Rows[i] = slices.Clone(table.Rows[i])
				table.Rows[i][2] = tt.written
			}
			got := printedAt(t, tt.width, output.FormatTable, view.View{Table: view.Rows(table)})
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestPrintUsesTheWidthOfTheStream(t *testing.T) {
	t.Parallel()
	streams, out, errOut := cli.Test("")
	streams.Color = cli.ColorNever
	streams.SetWidth(24)
	streams.ErrTerminal = false
	v := view.View{Text: view.Lines(func(t *view.Text) { t.Line("a sentence of more than one line") })}
	if err := output.Print(streams, output.FormatTable, v); err != nil {
		t.Fatal(err)
	}
	if err := output.OnErr(streams).Print(output.FormatTable, v); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("a sentence of more than\n  one line\n", out.String()); diff != "" {
		t.Errorf("on a terminal (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff("a sentence of more than one line\n", errOut.String()); diff != "" {
		t.Errorf("in a file (-want +got)\n%s", diff)
	}
}

func TestReasonsAreSaidOnce(t *testing.T) {
	t.Parallel()
	const stale, moved = "uses an outdated certificate: the CA changed after it started", "the CA was replaced"
	columns := []view.Column{{Name: "NAME"}, {Name: "ACTION"}, {Name: "WHY", Content: view.Reason}}
	for _, tt := range []struct {
		name   string
		width  int
		format output.Format
		rows   [][]string
		want   string
	}{
		{"all rows share one", 0, output.FormatTable, [][]string{{"a", "restart", stale}, {"b", "restart", stale}, {"c", "restart", stale}}, `
NAME   ACTION
a      restart
b      restart
c      restart
3 workloads: uses an outdated certificate: the CA changed after it started
`},
		{"many rows share one", 0, output.FormatTable, [][]string{{"istiod", "restart", moved}, {"a", "restart", stale}, {"b", "restart", stale}, {"c", "restart", stale}, {"d", "none", view.None}}, `
NAME     ACTION    WHY
istiod   restart   (1)
a        restart   (2)
b        restart   (2)
c        restart   (2)
d        none      <none>
(1) 1 workload: the CA was replaced
(2) 3 workloads: uses an outdated certificate: the CA changed after it started
`},
		{"few rows", 0, output.FormatTable, [][]string{{"istiod", "restart", moved}, {"a", "restart", stale}, {"b", "restart", stale}}, `
NAME     ACTION    WHY
istiod   restart   the CA was replaced
a        restart   uses an outdated certificate: the CA changed after it started
b        restart   uses an outdated certificate: the CA changed after it started
`},
		{"few rows on a narrow terminal", 50, output.FormatTable, [][]string{{"istiod", "restart", moved}, {"a", "restart", stale}, {"b", "restart", stale}}, `
NAME     ACTION    WHY
istiod   restart   (1)
a        restart   (2)
b        restart   (2)
(1) 1 workload: the CA was replaced
(2) 2 workloads: uses an outdated certificate: the
    CA changed after it started
`},
		{"wide", 50, output.FormatWide, [][]string{{"a", "restart", stale}, {"b", "restart", stale}, {"c", "restart", stale}}, `
NAME   ACTION    WHY
a      restart   uses an outdated certificate: the CA changed after it started
b      restart   uses an outdated certificate: the CA changed after it started
c      restart   uses an outdated certificate: the CA changed after it started
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := printedAt(t, tt.width, tt.format, view.View{Table: view.Rows(view.Table{Columns: columns, Rows: tt.rows, Noun: "workload"})})
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestTextWrapsAtWords(t *testing.T) {
	t.Parallel()
	v := view.View{Text: view.Lines(func(t *view.Text) {
		t.Fields([]view.Field{
			{Key: "Name", Value: "web"},
			{Key: "Virtual Mesh", Value: "shared.gloo-mesh (ACCEPTED, trust SHARED, TLS enforcement STRICT)", State: view.Word{Text: "STRICT", Tone: view.Good}},
			{Key: "Labels", Items: []string{"app=a-label-that-is-far-too-long-for-a-line-of-this-terminal", "b\nc"}},
		})
		t.Section("Errors", false, func() {
			t.Marked(view.Word{Text: "rejected", Tone: view.Bad}, " because another policy has precedence on this destination")
			t.Line("    hint: the indentation of a line is kept for its other lines")
			t.Line("paths /a,/b,/c,/d,/e,/f,/g,/h,/i,/j,/k,/l,/m,/n,/o,/p,/q")
		})
	})}
	want := `Name:          web
Virtual Mesh:  shared.gloo-mesh (ACCEPTED,
                 trust SHARED, TLS enforcement
                 STRICT)
Labels:        app=a-label-that-is-far-too-long-for-a-line-of-this-terminal
               b\nc
Errors:
  rejected because another policy has
    precedence on this destination
      hint: the indentation of a line is kept
        for its other lines
  paths
    /a,/b,/c,/d,/e,/f,/g,/h,/i,/j,/k,/l,/m,/n,
    /o,/p,/q
`
	if diff := cmp.Diff(want, printedAt(t, 46, output.FormatTable, v)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var painted bytes.Buffer
	if err := (output.Printer{Out: &painted, Width: 46, Color: true}).Print(output.FormatTable, v); err != nil {
		t.Fatal(err)
	}
	want = strings.NewReplacer("STRICT", "\x1b[32mSTRICT\x1b[0m", "rejected", "\x1b[31mrejected\x1b[0m").Replace(want)
	if diff := cmp.Diff(want, painted.String()); diff != "" {
		t.Errorf("with colours (-want +got)\n%s", diff)
	}
}

// TestNamesAreCutLast holds for tables of all shapes that the leading columns, which
// say what a row is about, are whole wherever they fit, and that no prose and no list
// takes room from them.
func TestNamesAreCutLast(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	word := func(limit int) string { return strings.Repeat("x", 1+random.IntN(limit)) }
	for range 60 {
		table := view.Table{}
		names := 1 + random.IntN(3)
		for i := range names {
			table.Columns = append(table.Columns, view.Column{Name: fmt.Sprint("NAME", i)})
		}
		for i := range 1 + random.IntN(6) {
			column := view.Column{Name: fmt.Sprint("C", i), Priority: random.IntN(4), Content: view.Content(random.IntN(3))}
			if i == 0 {
				column.Tone = func(string) view.Tone { return view.Plain } // a state ends the names
			}
			table.Columns = append(table.Columns, column)
		}
		for range 1 + random.IntN(5) {
			row := make([]string, len(table.Columns))
			for i := range row {
				if row[i] = word(30); table.Columns[i].Content == view.ItemList {
					row[i] = view.Items([]string{word(20), word(20), word(20)})
				}
			}
			table.Add(row...)
		}
		needed := 3 * (names - 1)
		for i := range names {
			longest := len(table.Columns[i].Name)
			for _, row := range table.Rows {
				longest = max(longest, len(row[i]))
			}
			needed += longest
		}
		for width := 20; width <= 140; width += 3 {
			lines := strings.Split(printedAt(t, width, output.FormatTable, view.View{Table: view.Rows(table)}), "\n")
			var whole []string
			for i, row := range table.Rows {
				if got := strings.Fields(lines[i+1])[:names]; cmp.Equal(row[:names], got) {
					whole = append(whole, row[0])
				}
			}
			header := strings.Fields(lines[0])
			switch prose := slices.ContainsFunc(table.Columns, func(c view.Column) bool { return c.Content != view.Exact && slices.Contains(header, c.Name) }); {
			case len(whole) == len(table.Rows):
			case width >= needed:
				t.Errorf("at %d columns, names that need %d are cut:\n%s", width, needed, strings.Join(lines, "\n"))
			case prose:
				t.Errorf("at %d columns, prose takes room from names:\n%s", width, strings.Join(lines, "\n"))
			}
		}
	}
}

func TestWrappedCellsLoseNothing(t *testing.T) {
	t.Parallel()
	table := view.Table{Columns: []view.Column{{Name: "MATCH", Content: view.Wrapped}, {Name: "SETTING"}, {Name: "VALUE", Content: view.Wrapped}, {Name: "FROM", Priority: 1}}}
	table.Add("all requests", "trafficShift", "25% reviews.bookinfo.east:9080 with version=v2, 75% a-service-with-a-long-name.in-a-namespace.west:9080", "shift.gloo-mesh")
	table.Add("", "", "then", "")
	got := "\n" + printedAt(t, 60, output.FormatTable, view.View{Table: view.Rows(table)})
	want := `
MATCH          SETTING        VALUE
all requests   trafficShift   25% reviews.bookinfo.east:9080
                              with version=v2, 75%
                              a-service-with-a-long-name.in-
                              a-namespace.west:9080
                              then
1 column hidden (FROM); use -o wide or a wider terminal
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestColumnNotes(t *testing.T) {
	t.Parallel()
	table := view.Table{Columns: []view.Column{{Name: "NAME"}, {Name: "WRITTEN", Priority: 1, Note: "WRITTEN is a record"}}}
	table.Add("a-policy-with-a-name", "yes")
	for width, want := range map[int]string{
		80: "NAME                   WRITTEN\na-policy-with-a-name   yes\nWRITTEN is a record\n",
		25: "NAME\na-policy-with-a-name\n1 column hidden\n  (WRITTEN); use -o wide\n  or a wider terminal\n",
	} {
		if diff := cmp.Diff(want, printedAt(t, width, output.FormatTable, view.View{Table: view.Rows(table)})); diff != "" {
			t.Errorf("table on %d columns (-want +got):\n%s", width, diff)
		}
	}
}
