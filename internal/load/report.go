package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what a run came to.
type Report struct {
	Posts    int
	Took     time.Duration
	Statuses map[int]int     // 0 counts posts without an answer
	Times    []time.Duration // sorted; from the moment a post was due until its answer
	// Kinds are the same of each kind of post; empty where there is one kind alone.
	Kinds map[string]Report
}

// reportOf counts samples, of which there is one for each post.
func reportOf(posts []Post, samples []sample, took time.Duration) Report {
	whole := Report{Took: took, Statuses: make(map[int]int), Kinds: make(map[string]Report)}
	for i, s := range samples {
		of, ok := whole.Kinds[posts[i].Kind]
		if !ok {
			of = Report{Took: took, Statuses: make(map[int]int)}
		}
		whole.Kinds[posts[i].Kind] = of.with(s)
		whole = whole.with(s)
	}
	slices.Sort(whole.Times)
	for _, of := range whole.Kinds {
		slices.Sort(of.Times)
	}
	if len(whole.Kinds) == 1 {
		clear(whole.Kinds)
	}
	return whole
}

func (r Report) with(s sample) Report {
	r.Posts++
	r.Statuses[s.status]++
	r.Times = append(r.Times, s.took)
	return r
}

// PerSecond is the throughput.
func (r Report) PerSecond() float64 { return float64(r.Posts) / r.Took.Seconds() }

// At gives the time that a share of the posts, in thousandths, did not exceed.
func (r Report) At(thousandths int) time.Duration {
	if len(r.Times) == 0 {
		return 0
	}
	return r.Times[min(len(r.Times)*thousandths/1000, len(r.Times)-1)]
}

// Print writes the figures as a table, a line for each kind and one for all.
func (r Report) Print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "kind\tcalls\tper second\tp50\tp99\tp99.9\tmost\tanswers") // Flush tells of any error
	for _, kind := range slices.Sorted(maps.Keys(r.Kinds)) {
		r.Kinds[kind].line(table, kind)
	}
	r.line(table, "all")
	return table.Flush()
}

func (r Report) line(to io.Writer, kind string) {
	var answers []string
	for _, status := range slices.Sorted(maps.Keys(r.Statuses)) {
		answers = append(answers, fmt.Sprintf("%d: %d", status, r.Statuses[status]))
	}
	_, _ = fmt.Fprintf(to, "%s\t%d\t%.0f\t%s\t%s\t%s\t%s\t%s\n", kind, r.Posts, r.PerSecond(),
		r.At(500).Round(tick), r.At(990).Round(tick), r.At(999).Round(tick), r.At(1000).Round(tick), strings.Join(answers, ", "))
}

// tick is how exactly times are printed.
const tick = 10 * time.Microsecond
