package pipeline

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheDeploymentFails(t *testing.T) {
	const denied = "is not authorized to perform: "
	failsAt(t, 2, []failing{
		{name: "no permission to upload", edit: replace(t, `:s3:::kzmorita-blog/*`, `:s3:::kzmorita-bloG/*`), code: "AccessDenied",
			reason: []string{"assumed-role/uploaded-pipeline-DeployRole", denied + "s3:PutObject on resource: arn:aws:s3:::kzmorita-blog/"}, look: "DeployRole885297C3"},
		{name: "variable that nobody puts out", edit: replace(t, `"BucketName": "kzmorita-blog"`, `"BucketName": "kzmorita-blog", "ObjectKey": "#{Build.Folder}"`), code: "InvalidActionConfiguration", reason: []string{"#{Build.Folder}"}},
	})
}

func TestFilesOfAnyNameArePublished(t *testing.T) {
	t.Parallel()
	source := blog(t)
	names := map[string]string{}
	for _, name := range []string{"*", "a*b?", "new\nline", "re\rturn", `back\slash`, "c#%41", "\u2028", "'\"<>&", "$x{}"} {
		names["site/"+name+"/index.html"] = "<h1>page"
		names["site/files/"+name] = "file"
	}
	write(t, source, names)
	r := rehearse(t, t.Context(), read(t, template(t, "uploaded-pipeline")), Options{Source: source, State: filepath.Join(t.TempDir(), "state")}, nil)
	if r.err != nil || r.statuses() != allSucceeded || r.Site.Uploaded != 5+len(names) {
		t.Errorf("stages end as %s (%v), %+v: %+v", r.statuses(), r.err, r.Site, r.failed())
	}
	if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "published as application/octet-stream") }) {
		t.Errorf("warnings are %q", r.Warnings)
	}
}
