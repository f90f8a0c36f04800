package fakeaws_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

func TestCreateInvalidationAnswersAsCloudFront(t *testing.T) {
	now := newClock()
	w := newWorld(t, fakeaws.Options{Now: now.Now})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: distID, CompleteAfter: time.Minute})

	out, err := w.create(t, "job-1", "/b.html", "/a/*")
	if err != nil {
		t.Fatalf("CreateInvalidation: %v", err)
	}
	inv := out.Invalidation
	if got, want := *inv.Status, "InProgress"; got != want {
		t.Errorf("Status: got %q, want %q", got, want)
	}
	if got, want := *inv.CreateTime, now.Now(); !got.Equal(want) {
		t.Errorf("CreateTime: got %v, want %v", got, want)
	}
	if got, want := aws.ToString(out.Location), "https://cloudfront.amazonaws.com/2020-05-31/distribution/"+distID+"/invalidation/"+*inv.Id; got != want {
		t.Errorf("Location: got %q, want %q", got, want)
	}
	if got, want := inv.InvalidationBatch.Paths.Items, []string{"/b.html", "/a/*"}; !slices.Equal(got, want) {
		t.Errorf("Paths: got %q, want %q", got, want)
	}
	if got, want := *inv.InvalidationBatch.Paths.Quantity, int32(2); got != want {
		t.Errorf("Quantity: got %d, want %d", got, want)
	}
	if got, want := *inv.InvalidationBatch.CallerReference, "job-1"; got != want {
		t.Errorf("CallerReference: got %q, want %q", got, want)
	}

	status, _, header := w.raw(t, http.MethodPost, "/2020-05-31/distribution/"+distID+"/invalidation",
		map[string]string{"Content-Type": "application/xml"}, batchXML("job-2", 1, "/c"), nil)
	if status != http.StatusCreated {
		t.Errorf("HTTP status: got %d, want 201", status)
	}
	if header.Get("X-Amzn-Requestid") == "" {
		t.Error("X-Amzn-Requestid is missing")
	}
}

func TestInvalidationIsInProgressBeforeCompleted(t *testing.T) {
	const p, c = "InProgress", "Completed"
	tests := []struct {
		name string
		dist fakeaws.Distribution
		step time.Duration // the time before each GetInvalidation
		want []string
	}{
		{"at once", fakeaws.Distribution{}, 0, []string{c, c}},
		{"by time", fakeaws.Distribution{CompleteAfter: 25 * time.Second}, 10 * time.Second, []string{p, p, c, c}},
		{"exactly by time", fakeaws.Distribution{CompleteAfter: 20 * time.Second}, 10 * time.Second, []string{p, c}},
		{"by the first request", fakeaws.Distribution{CompleteAfterGets: 1}, 0, []string{c}},
		{"by the third request", fakeaws.Distribution{CompleteAfterGets: 3}, 0, []string{p, p, c, c}},
		{"by the third request, late", fakeaws.Distribution{CompleteAfterGets: 3, CompleteAfter: 40 * time.Second}, 10 * time.Second, []string{p, p, p, c}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			now := newClock()
			w := newWorld(t, fakeaws.Options{Now: now.Now})
			test.dist.ID = distID
			w.cloud.AddDistribution(test.dist)
			out, err := w.create(t, "job-1", "/*")
			if err != nil {
				t.Fatalf("CreateInvalidation: %v", err)
			}
			if got := *out.Invalidation.Status; got != p {
				t.Errorf("status on creation: got %q, want %q", got, p)
			}
			var got []string
			for range test.want {
				now.advance(test.step)
				status, err := w.get(t, *out.Invalidation.Id)
				if err != nil {
					t.Fatalf("GetInvalidation: %v", err)
				}
				got = append(got, status)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("statuses: got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCallerReferenceMakesCreationIdempotent(t *testing.T) {
	now := newClock()
	w := newWorld(t, fakeaws.Options{Now: now.Now})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: distID, CompleteAfter: time.Second, MaxWildcardPaths: 1})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: "EOTHER"})

	first, err := w.create(t, "job-1", "/*", "/a")
	if err != nil {
		t.Fatalf("CreateInvalidation: %v", err)
	}
	// The invalidation fills the quota itself, and its repetition must still succeed.
	again, err := w.create(t, "job-1", "/*", "/a")
	if err != nil {
		t.Fatalf("CreateInvalidation again: %v", err)
	}
	if got, want := *again.Invalidation.Id, *first.Invalidation.Id; got != want {
		t.Errorf("repeated creation: got id %q, want the first's %q", got, want)
	}
	now.advance(time.Minute)
	late, err := w.create(t, "job-1", "/*", "/a")
	if err != nil {
		t.Fatalf("CreateInvalidation after completion: %v", err)
	}
	if got, want := *late.Invalidation.Id+*late.Invalidation.Status, *first.Invalidation.Id+"Completed"; got != want {
		t.Errorf("creation repeated after completion: got %q, want %q", got, want)
	}

	for _, paths := range [][]string{{"/*"}, {"/a", "/*"}, {"/*", "/b"}} {
		_, err := w.create(t, "job-1", paths...)
		if got, want := errorCode(err), "InvalidArgument"; got != want {
			t.Errorf("same reference, paths %q: got %q, want %q", paths, got, want)
		}
		if got, want := errorMessage(err), "caller reference that was used for a previous invalidation batch"; !strings.Contains(got, want) {
			t.Errorf("same reference, paths %q: got message %q, want it to contain %q", paths, got, want)
		}
	}

	other := createInput("job-1", "/b")
	other.DistributionId = aws.String("EOTHER")
	if _, err := w.cloudFront.CreateInvalidation(t.Context(), other); err != nil {
		t.Errorf("same reference, other distribution: got %v, want success", err)
	}
	if got, want := len(w.cloud.Invalidations(distID)), 1; got != want {
		t.Errorf("invalidations: got %d, want %d", got, want)
	}
}

func TestCreateInvalidationChecksPaths(t *testing.T) {
	long := func(n int) string { return "/" + strings.Repeat("a", n-1) }
	accepted := []string{
		"/", "/*", "/a*", "/a/b.html", "/Case/Sensitive", "/a?b=c&d=e", "/%E3%81%82", "/a%20b", "/a;b,c:d@e=f+g$h!i'(j)", "/-_.",
		long(4000), "#tag", "#blog:post-1", "#" + strings.Repeat("t", 256), "#~a/[b]?c=d",
	}
	refused := []string{
		"", "a", "*", "index.html", "/a*b", "/**", "/*/a", "/a b", "/あ", "/caf\u00e9", "/a%", "/a%2", "/a%2z", "/a%z2", "/a#b", "/a\"b", "/<a>",
		"/a|b", "/a\\b", "/a^b", "/~a", "/[a]", "/{a}", "/a`b", "/a\tb", "/a\u007f", long(4001), "#", "#a b", "#a*", "#\u3042",
		"#" + strings.Repeat("t", 257), "#a,b", "#a\u007f",
	}
	check := func(path, want string) {
		t.Run(fmt.Sprintf("%.20q", path), func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
			_, err := w.create(t, "job-1", path)
			if got := errorCode(err); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			wantCreated := 0
			if want == "" {
				wantCreated = 1
			}
			if got := len(w.cloud.Invalidations(distID)); got != wantCreated {
				t.Errorf("invalidations: got %d, want %d", got, wantCreated)
			}
		})
	}
	for _, path := range accepted {
		check(path, "")
	}
	for _, path := range refused {
		check(path, "InvalidArgument")
	}
}

func TestCreateInvalidationRefusals(t *testing.T) {
	paths := func(n int, format string) []string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return all
	}
	withQuantity := func(n int32) func(*cloudfront.CreateInvalidationInput) {
		return func(in *cloudfront.CreateInvalidationInput) { in.InvalidationBatch.Paths.Quantity = &n }
	}
	tests := []struct {
		name       string
		paths      []string
		change     func(*cloudfront.CreateInvalidationInput)
		want       string
		wantStatus int
	}{
		{"unknown distribution", []string{"/"}, func(in *cloudfront.CreateInvalidationInput) { in.DistributionId = aws.String("ENONE") }, "NoSuchDistribution", 404},
		{"quantity too high", []string{"/"}, withQuantity(2), "InconsistentQuantities", 400},
		{"quantity too low", []string{"/", "/a"}, withQuantity(1), "InconsistentQuantities", 400},
		{"quantity negative", []string{"/"}, withQuantity(-1), "InconsistentQuantities", 400},
		{"no paths", nil, nil, "InvalidArgument", 400},
		{"one bad path among good ones", []string{"/", "a", "/b"}, nil, "InvalidArgument", 400},
		{"empty caller reference", []string{"/"}, func(in *cloudfront.CreateInvalidationInput) { in.InvalidationBatch.CallerReference = aws.String("") }, "MalformedXML", 400},
		{"3,001 paths", paths(3001, "/%d"), nil, "BatchTooLarge", 413},
		{"16 wildcards", paths(16, "/%d/*"), nil, "TooManyInvalidationsInProgress", 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
			in := createInput("job-1", test.paths...)
			if test.change != nil {
				test.change(in)
			}
			_, err := w.cloudFront.CreateInvalidation(t.Context(), in)
			if got := errorCode(err); got != test.want {
				t.Errorf("code: got %q, want %q", got, test.want)
			}
			if got := httpStatus(err); got != test.wantStatus {
				t.Errorf("HTTP status: got %d, want %d", got, test.wantStatus)
			}
			if got := w.cloud.Invalidations(distID); len(got) != 0 {
				t.Errorf("invalidations: got %v, want none", got)
			}
			if got := w.cloud.Calls(); len(got) != 1 || got[0].Err != test.want {
				t.Errorf("calls: got %+v, want one with error %q", got, test.want)
			}
		})
	}
}

func TestQuotasOfPathsInProgress(t *testing.T) {
	many := make([]string, 3000)
	for i := range many {
		many[i] = fmt.Sprintf("/%d", i)
	}
	wildcards := make([]string, 15)
	for i := range wildcards {
		wildcards[i] = fmt.Sprintf("/%d/*", i)
	}
	tests := []struct {
		name          string
		dist          fakeaws.Distribution
		first, second []string
		wait          time.Duration
		want          string
	}{
		{"files: quota and one", fakeaws.Distribution{}, many, []string{"/more"}, 0, "TooManyInvalidationsInProgress"},
		{"files: quota, then done", fakeaws.Distribution{}, many, many, time.Minute, ""},
		{"tags count as files", fakeaws.Distribution{}, many, []string{"#tag"}, 0, "TooManyInvalidationsInProgress"},
		{"wildcards: quota and one", fakeaws.Distribution{}, wildcards, []string{"/*"}, 0, "TooManyInvalidationsInProgress"},
		{"wildcards: quota, then done", fakeaws.Distribution{}, wildcards, wildcards, time.Minute, ""},
		{"wildcards do not count as files", fakeaws.Distribution{}, many, wildcards, 0, ""},
		{"files do not count as wildcards", fakeaws.Distribution{}, wildcards, many, 0, ""},
		{"own file quota kept", fakeaws.Distribution{MaxFilePaths: 2}, []string{"/a"}, []string{"/b"}, 0, ""},
		{"own file quota exceeded", fakeaws.Distribution{MaxFilePaths: 2}, []string{"/a"}, []string{"/b", "/c"}, 0, "TooManyInvalidationsInProgress"},
		{"own wildcard quota exceeded", fakeaws.Distribution{MaxWildcardPaths: 1}, []string{"/*"}, []string{"/a*"}, 0, "TooManyInvalidationsInProgress"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			now := newClock()
			w := newWorld(t, fakeaws.Options{Now: now.Now})
			test.dist.ID, test.dist.CompleteAfter = distID, time.Minute
			w.cloud.AddDistribution(test.dist)
			if _, err := w.create(t, "job-1", test.first...); err != nil {
				t.Fatalf("first CreateInvalidation: %v", err)
			}
			now.advance(test.wait)
			_, err := w.create(t, "job-2", test.second...)
			if got := errorCode(err); got != test.want {
				t.Errorf("second CreateInvalidation: got %q, want %q", got, test.want)
			}
		})
	}
}

func TestGetInvalidationRefusals(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: "EOTHER"})
	out, err := w.create(t, "job-1", "/*")
	if err != nil {
		t.Fatalf("CreateInvalidation: %v", err)
	}
	tests := []struct {
		name, dist, id, want string
	}{
		{"known", distID, *out.Invalidation.Id, ""},
		{"unknown distribution", "ENONE", *out.Invalidation.Id, "NoSuchDistribution"},
		{"unknown invalidation", distID, "INONE", "NoSuchInvalidation"},
		{"another distribution's", "EOTHER", *out.Invalidation.Id, "NoSuchInvalidation"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := w.cloudFront.GetInvalidation(t.Context(), &cloudfront.GetInvalidationInput{DistributionId: &test.dist, Id: &test.id})
			if got := errorCode(err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if err != nil && httpStatus(err) != http.StatusNotFound {
				t.Errorf("HTTP status: got %d, want 404", httpStatus(err))
			}
		})
	}
}

const cloudFrontNamespace = "http://cloudfront.amazonaws.com/doc/2020-05-31/"

func batchXML(reference string, quantity int, paths ...string) string {
	var items strings.Builder
	for _, path := range paths {
		items.WriteString("<Path>" + path + "</Path>")
	}
	return fmt.Sprintf(`<InvalidationBatch xmlns=%q><CallerReference>%s</CallerReference><Paths><Items>%s</Items><Quantity>%d</Quantity></Paths></InvalidationBatch>`,
		cloudFrontNamespace, reference, items.String(), quantity)
}

// TestCreateInvalidationReadsBodyStrictly sends bodies that the SDK cannot send.
func TestCreateInvalidationReadsBodyStrictly(t *testing.T) {
	good := batchXML("job-1", 1, "/a")
	xmlType := map[string]string{"Content-Type": "application/xml"}
	replace := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("no %q in %s", from, good)
		}
		return strings.Replace(good, from, to, 1)
	}
	tests := []struct {
		name   string
		header map[string]string
		body   string
		want   string
	}{
		{"good", xmlType, good, ""},
		{"no body", xmlType, "", "MissingBody"},
		{"no content type", nil, good, ""}, // boto3 and the AWS CLI send none.
		{"declared", xmlType, `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + good + "\n", ""},
		{"prefixed", xmlType, strings.NewReplacer("</", "</c:", "<", "<c:", "xmlns=", "xmlns:c=").Replace(good), ""},
		{"not XML", xmlType, "{}", "MalformedInput"},
		{"cut off", xmlType, good[:len(good)-4], "MalformedInput"},
		{"two documents", xmlType, good + good, "MalformedInput"},
		{"wrong namespace", xmlType, replace("2020-05-31", "2019-03-26"), "MalformedInput"},
		{"wrong root", xmlType, strings.ReplaceAll(good, "InvalidationBatch", "Batch"), "MalformedInput"},
		{"unknown element", xmlType, replace("<Paths>", "<Comment/><Paths>"), "MalformedInput"},
		{"unknown element in paths", xmlType, replace("<Items>", "<Comment/><Items>"), "MalformedInput"},
		{"quantity no number", xmlType, replace(">1<", ">one<"), "MalformedInput"},
		{"no quantity", xmlType, replace("<Quantity>1</Quantity>", ""), "MalformedXML"},
		{"no paths", xmlType, replace("<Paths><Items><Path>/a</Path></Items><Quantity>1</Quantity></Paths>", ""), "MalformedXML"},
		{"no caller reference", xmlType, replace("<CallerReference>job-1</CallerReference>", ""), "MalformedXML"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
			status, answer, _ := w.raw(t, http.MethodPost, "/2020-05-31/distribution/"+distID+"/invalidation", test.header, test.body, nil)
			if test.want == "" {
				if status != http.StatusCreated {
					t.Errorf("got %d %s, want 201", status, answer)
				}
				return
			}
			if want := "<Code>" + test.want + "</Code>"; status != http.StatusBadRequest || !strings.Contains(answer, want) {
				t.Errorf("got %d %s, want 400 and %s", status, answer, want)
			}
			if got := w.cloud.Invalidations(distID); len(got) != 0 {
				t.Errorf("invalidations: got %v, want none", got)
			}
		})
	}
}

func TestInvalidationsIsASnapshot(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: distID, CompleteAfterGets: 1})
	if got := w.cloud.Invalidations("ENONE"); got != nil {
		t.Errorf("unknown distribution: got %v, want nil", got)
	}
	for i := range 3 {
		if _, err := w.create(t, fmt.Sprintf("job-%d", i), "/a"); err != nil {
			t.Fatalf("CreateInvalidation: %v", err)
		}
	}
	got := w.cloud.Invalidations(distID)
	for i, inv := range got {
		if want := fmt.Sprintf("job-%d", i); inv.CallerReference != want || inv.DistributionID != distID || inv.Status != "InProgress" {
			t.Errorf("invalidation %d: got %+v, want reference %q, in progress", i, inv, want)
		}
	}
	got[0].Paths[0] = "/changed"
	if got, want := w.cloud.Invalidations(distID)[0].Paths[0], "/a"; got != want {
		t.Errorf("path after the snapshot was changed: got %q, want %q", got, want)
	}
}
