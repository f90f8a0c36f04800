package releases

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/operate/status"
)

// id returns the id of the release that was published in a minute of an hour.
func id(minute int) string { return fmt.Sprintf("20261127-12%02d00-%08x", minute, minute) }

// releasesOf reads a history, the newest release first: "5* 4=2 3- 2 1" are the releases of five minutes. The fifth is live,
// the fourth has published the second again, and the build of the third is no longer kept.
func releasesOf(t *testing.T, text string) (all []contract.Release) {
	t.Helper()
	for word := range strings.FieldsSeq(text) {
		var minute, restores int
		_, err := fmt.Sscanf(strings.TrimRight(word, "*-"), "%d=%d", &minute, &restores)
		if err != nil && minute == 0 {
			t.Fatalf("%q: %v", word, err)
		}
		r := contract.Release{
			ID: id(minute), Time: noon.Add(time.Duration(minute) * time.Minute), Revision: fmt.Sprintf("%dabcdef0123456789", minute), Execution: fmt.Sprint("execution-", minute),
			Put: minute, Removed: 1, Current: strings.Contains(word, "*"), Kept: !strings.Contains(word, "-"),
		}
		if restores > 0 {
			r.Restores, r.By, r.Execution, r.Revision = id(restores), "arn:aws:iam::123456789012:user/me", "", fmt.Sprintf("%dabcdef0123456789", restores)
		}
		all = append(all, r)
	}
	return all
}

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func TestPrevious(t *testing.T) {
	for _, tt := range []struct {
		name, releases string
		want           int
		err            string
	}{
		{"the one before", "3* 2 1", 2, ""},
		{"a second time: one further back", "4=2* 3 2 1", 1, ""},
		{"a third time: nothing is left", "5=1* 4=2 3 2 1", 0, "no earlier release whose build is kept (Deploy.KeepDays). The last releases are:\n  " + id(5) + "  1abcdef0 Write 1\n"},
		{"after a push that followed a rollback", "5* 4=2 3 2 1", 2, ""},
		{"what was published again twice", "6=2* 5 4=2 3 2 1", 1, ""},
		{"a build that is gone", "3* 2- 1", 1, ""},
		{"the origin's build is gone", "5* 4=2 3 2- 1", 4, ""},
		{"the origin is too long ago", "5* 4=2 3", 4, ""},
		{"the origin of the live one is too long ago", "5=1* 4 3", 0, "no earlier release"},
		{"an older one was named before", "5=3* 4 3 2 1", 2, ""},
		{"an unfinished publication", "3 2 1", 3, ""},
		{"one release", "1*", 0, "no earlier release"},
		{"nothing", "", 0, "nothing has been published yet"},
	} {
		h := history{releasesOf(t, tt.releases), executionsOf(9)}
		got, err := h.previous()
		check(t, tt.name, got, err, tt.want, tt.err)
	}
}

func TestNamed(t *testing.T) {
	const all = "12* 11=2 10 3- 2 1"
	for _, tt := range []struct {
		name, to string
		want     int
		err      string
	}{
		{"an id", id(2), 2, ""},
		{"the beginning of an id", id(10)[:13], 10, ""},
		{"a commit", "1abcdef0123456789", 1, ""},
		{"the beginning of a commit, as a person has copied it", " 1ABC ", 1, ""},
		{"what was published again has the files of its origin", id(11), 2, ""},
		{"a commit of both", "2abcdef", 2, ""},
		{"the live one", id(12), 12, ""},
		{"more than one commit", "1", 0, `"1" is the beginning of more than one. Write more of it, or the whole id of one:` + "\n  " + id(12) + "  12abcdef\n  " + id(10) + "  10abcdef\n  " + id(1) + "  1abcdef0 Write 1"},
		{"more than one id", "20261127-12", 0, "is the beginning of more than one"},
		{"no longer kept", id(3), 0, "the build of " + id(3) + " is no longer kept (Deploy.KeepDays). These can be published again:\n  " + id(11) + "  2abcdef0 Write 2\n"},
		{"unknown", "feed", 0, `"feed" is the beginning of the id or the commit of none of the last 6 releases. These can be published again:` + "\n  " + id(11) + "  2abcdef0 Write 2\n"},
	} {
		h := history{releasesOf(t, all), executionsOf(9)}
		got, err := h.named(tt.to)
		check(t, tt.name, got, err, tt.want, tt.err)
	}
	_, err := history{}.named("a")
	check(t, "nothing", nil, err, 0, "nothing has been published yet")
	_, err = history{releases: releasesOf(t, "1*")}.named("a")
	check(t, "nothing else", nil, err, 0, "again:\n  none")
	var many strings.Builder
	for minute := 59; minute > 0; minute-- {
		fmt.Fprint(&many, minute, " ")
	}
	if _, err = (history{releases: releasesOf(t, many.String())}).named("x"); strings.Count(err.Error(), "\n") != 20 {
		t.Errorf("of many: got %v, want the last 20", err)
	}
}

func check(t *testing.T, name string, got *contract.Release, err error, want int, message string) {
	t.Helper()
	if (err == nil) != (message == "") || err != nil && !strings.Contains(err.Error(), message) {
		t.Errorf("%s: error is %v, want %q", name, err, message)
	}
	if err == nil && got.ID != id(want) {
		t.Errorf("%s: got %s, want %s", name, got.ID, id(want))
	}
}

// executionsOf returns the executions that have published the first n releases, the newest first.
func executionsOf(n int) (all []*status.Execution) {
	for minute := n; minute > 0; minute-- {
		all = append(all, &status.Execution{
			ID: fmt.Sprint("execution-", minute), Status: "Succeeded", Commit: fmt.Sprintf("%dabcdef0123456789", minute), Message: fmt.Sprint("Write ", minute), Trigger: "WebhookV2",
		})
	}
	return all
}

func TestTable(t *testing.T) {
	h := history{releasesOf(t, "8=6* 7 6 5 4 3 2- 1"), executionsOf(7)}
	h.releases[6].Pending = true // which in truth only a live one is
	h.executions[0].Trigger, h.executions[0].By = "StartPipelineExecution", "arn:aws:sts::123456789012:assumed-role/my-blog-pipeline-ScheduleRole0A1B2C3D-abcdefghijkl/0123456789abcdef"
	h.executions[1].Trigger = "CreatePipeline"
	h.executions[2].Trigger, h.executions[2].By = "ManualRollback", "arn:aws:iam::123456789012:root"
	h.executions[3].Trigger = "CloudWatchEvent"
	h.executions[4].Trigger = "News"
	h.releases[6].Execution = "" // as if it were too long ago
	got := strings.Join(h.table(noon.Add(time.Hour)), "\n")
	want := strings.Join([]string{
		"RELEASE                   PUBLISHED   PUT  REMOVED  STARTED BY                   STATE                            COMMIT",
		id(8) + "  52 min ago  8    1        rollback                     live                             files of " + id(6) + ", by me: 6abcdef0 Write 6",
		id(7) + "  53 min ago  7    1        schedule                                                      7abcdef0 Write 7",
		id(6) + "  54 min ago  6    1        the new pipeline                                              6abcdef0 Write 6",
		id(5) + "  55 min ago  5    1        rollback of a stage by root                                   5abcdef0 Write 5",
		id(4) + "  56 min ago  4    1        an event                                                      4abcdef0 Write 4",
		id(3) + "  57 min ago  3    1        News                                                          3abcdef0 Write 3",
		id(2) + "  58 min ago  2    1                                     not cleared yet, no longer kept  2abcdef0 Write 2",
		id(1) + "  59 min ago  1    1        push                                                          1abcdef0 Write 1",
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
