package releases

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/operate/status"
)

// history is what has been published, the newest first, and the executions that did.
type history struct {
	releases   contract.Releases
	executions []*status.Execution
}

// unfinished returns the release of a rollback that is live, but of which CloudFront has not been seen to clear the
// changes; nil for none. Whoever asks for a rollback then goes on with that one.
func (h history) unfinished() *contract.Release {
	if current := h.releases.Current(); current != nil && current.Pending && current.Restores != "" {
		return h.releases.Kept(*current)
	}
	return nil
}

// previous returns the release to go back to.
func (h history) previous() (*contract.Release, error) {
	if target := h.releases.Previous(); target != nil {
		return target, nil
	}
	if len(h.releases) == 0 {
		return nil, errors.New("nothing has been published yet")
	}
	return nil, fmt.Errorf("there is no earlier release whose build is kept (Deploy.KeepDays). The last releases are:\n%s", h.choices(h.releases))
}

// named returns the release that a text names: by its id or its commit, or the beginning of one of them.
func (h history) named(text string) (*contract.Release, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	var matches []contract.Release
	for _, r := range h.releases {
		if r.ID == text {
			matches = []contract.Release{r}
			break
		}
		if strings.HasPrefix(r.ID, text) || strings.HasPrefix(strings.ToLower(r.Revision), text) {
			matches = append(matches, r)
		}
	}
	switch {
	case len(h.releases) == 0:
		return nil, errors.New("nothing has been published yet")
	case len(matches) == 0:
		return nil, fmt.Errorf("%q is the beginning of the id or the commit of none of the last %d releases. These can be published again:\n%s", text, len(h.releases), h.choices(h.republishable()))
	}
	// What was published again has the files of its origin.
	for i := range matches {
		if matches[i].Origin() != matches[0].Origin() {
			return nil, fmt.Errorf("%q is the beginning of more than one. Write more of it, or the whole id of one:\n%s", text, h.choices(matches))
		}
	}
	if target := h.releases.Kept(matches[0]); target != nil {
		return target, nil
	}
	return nil, fmt.Errorf("the build of %s is no longer kept (Deploy.KeepDays). These can be published again:\n%s", matches[0].ID, h.choices(h.republishable()))
}

func (h history) republishable() []contract.Release {
	return slices.DeleteFunc(slices.Clone(h.releases), func(r contract.Release) bool { return !r.Kept || r.Current })
}

// maxChoices limits the releases that an error lists.
const maxChoices = 20

// choices lists releases for an error.
func (h history) choices(releases []contract.Release) string {
	if len(releases) == 0 {
		return "  none"
	}
	var lines []string
	for _, r := range releases[:min(len(releases), maxChoices)] {
		lines = append(lines, "  "+strings.TrimSpace(r.ID+"  "+h.commit(r)))
	}
	return strings.Join(lines, "\n")
}

// execution returns the execution that published a release; nil if it is unknown.
func (h history) execution(r contract.Release) *status.Execution {
	if i := slices.IndexFunc(h.executions, func(e *status.Execution) bool { return e.ID == r.Execution }); i >= 0 {
		return h.executions[i]
	}
	return nil
}

// commit words a release's commit: its id, and the first line of its message if an execution of it is known.
func (h history) commit(r contract.Release) string {
	message := ""
	for _, e := range h.executions {
		if r.Revision != "" && e.Commit == r.Revision {
			message = e.Message
			break
		}
	}
	return strings.TrimSpace(status.Short(r.Revision) + " " + message)
}

// describe words a release for a line: its id, its commit and its time.
func (h history) describe(r contract.Release, now time.Time) string {
	return strings.Join(slices.DeleteFunc([]string{r.ID, h.commit(r), status.At(r.Time, now)}, func(part string) bool { return part == "" }), ", ")
}

// running words the pipeline's execution if one goes on; "" for none.
func (h history) running() string {
	if len(h.executions) == 0 || !h.executions[0].Running() {
		return ""
	}
	e := h.executions[0]
	return cmp.Or(strings.TrimSpace(status.Short(e.Commit)+" "+e.Message), "execution "+status.Short(e.ID))
}

// scheduleRole is in the name of the role with which a schedule starts a pipeline (stacks/delivery/schedule.go).
const scheduleRole = "-ScheduleRole"

// startedBy words who or what has started the publication of a release.
func (h history) startedBy(r contract.Release) string {
	if r.Restores != "" {
		return "rollback" // by whom has its place beside the commit, since names are long
	}
	e := h.execution(r)
	if e == nil {
		return status.Name(r.By)
	}
	switch types.TriggerType(e.Trigger) {
	case types.TriggerTypeWebhook, types.TriggerTypeWebhookV2, types.TriggerTypePollForSourceChanges:
		return "push"
	case types.TriggerTypeCreatePipeline:
		return "the new pipeline"
	case types.TriggerTypeManualRollback, types.TriggerTypeAutomatedRollback:
		return strings.TrimSuffix("rollback of a stage by "+status.Name(e.By), " by ")
	case types.TriggerTypeCloudWatchEvent:
		return "an event"
	}
	if strings.Contains(e.By, scheduleRole) {
		return "schedule"
	}
	return cmp.Or(status.Name(e.By), e.Trigger)
}
