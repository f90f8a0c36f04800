package releases

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/operate/status"
)

// listed is how many releases a list has.
const listed = 20

// List tells which releases were published last, the newest first.
func (b Blog) List(ctx context.Context) error {
	publish, _, err := b.functions(ctx)
	if err != nil {
		return err
	}
	h, err := b.history(ctx, publish, listed)
	if err != nil {
		return err
	}
	if len(h.releases) == 0 {
		b.Tell("  nothing has been published yet: push a commit, or press Release change in the console")
	}
	for _, line := range h.table(b.Now()) {
		b.Tell("  " + line)
	}
	return nil
}

// Current returns the release that the blog's bucket has; nil if there is none, or if CodePipeline's S3 action publishes the
// blog, which makes no releases.
func (b Blog) Current(ctx context.Context) (*contract.Release, error) {
	publish, _, err := b.functions(ctx)
	if errors.Is(err, errNoReleases) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	answer, err := b.ask(ctx, publish, contract.Direct{UserParameters: publish.parameters, List: 1})
	return answer.Releases.Current(), err
}

// history asks for the last releases, at most so many. Only the commits' messages and who started a publication come from
// the pipeline's executions, so it goes on without them.
func (b Blog) history(ctx context.Context, publish function, most int) (history, error) {
	answer, err := b.ask(ctx, publish, contract.Direct{UserParameters: publish.parameters, List: most})
	if err != nil {
		return history{}, err
	}
	h := history{releases: answer.Releases}
	if h.executions, err = status.Executions(ctx, b.CodePipeline, b.Name); err != nil {
		if ctx.Err() != nil {
			return h, err
		}
		b.Tell(fmt.Sprintf("  the commits' messages, and who started what, are left out: %v", reason(err)))
	}
	return h, nil
}

// reason returns what AWS says about a refusal, which names the permission that is missing.
func reason(err error) error {
	if refusal, ok := errors.AsType[smithy.APIError](err); ok {
		return errors.New(refusal.ErrorMessage())
	}
	return err
}

// table lists the releases in columns.
func (h history) table(now time.Time) []string {
	if len(h.releases) == 0 {
		return nil
	}
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(cells ...any) { _, _ = fmt.Fprintf(w, strings.Repeat("%v\t", len(cells))+"\n", cells...) } // A Builder has no errors.
	// The widths of all characters but those of messages are known, so messages come last.
	row("RELEASE", "PUBLISHED", "PUT", "REMOVED", "STARTED BY", "STATE", "COMMIT")
	for _, r := range h.releases {
		row(r.ID, status.At(r.Time, now), r.Put, r.Removed, h.startedBy(r), state(r), h.origin(r))
	}
	_ = w.Flush()
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// origin words the commit of a release, and which release it has published again, and for whom.
func (h history) origin(r contract.Release) string {
	if r.Restores == "" {
		return h.commit(r)
	}
	words := "files of " + r.Restores
	if by := status.Name(r.By); by != "" {
		words += ", by " + by
	}
	if commit := h.commit(r); commit != "" {
		words += ": " + commit
	}
	return words
}

// state says whether a release is live, and cleared, and whether it can be published again.
func state(r contract.Release) string {
	var words []string
	if r.Current {
		words = append(words, "live")
	}
	if r.Pending {
		words = append(words, "not cleared yet")
	}
	if !r.Kept && !r.Current {
		words = append(words, "no longer kept")
	}
	return strings.Join(words, ", ")
}
